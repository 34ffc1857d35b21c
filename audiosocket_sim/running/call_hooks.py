"""The hooks of one call: carries them out before and after it, and says whose fault it is if one does not hold."""

from collections.abc import Callable

from audiosocket_sim.parties.target import StartedTarget, TargetError, TargetUsageError
from audiosocket_sim.running.hooks import HookFailed, HookNotMet, asked_for, carry_out_hook
from audiosocket_sim.scenario import Hook, Scenario, StepPlace

__all__ = ["CallHooks"]


class CallHooks:
    """The hooks of one call. `note`: writes into the log what came of one. `fail`: logs a failure of the bot: the place
    of the hook, what was asked for, and what was answered."""

    def __init__(
        self, scenario: Scenario, note: Callable[[str, str], None], fail: Callable[[StepPlace, str, str], None]
    ) -> None:
        self._scenario = scenario
        self._note = note
        self._fail = fail
        self._values: dict[str, str] = {}
        self._after_is_due = False

    async def before(self, uuid: str, target: StartedTarget, ai_url: str) -> None:
        """Carry out the hooks before the call. Raises TargetError: the call cannot be made as it is meant; then nothing
        is carried out after it. That is known of a hook after the call without its control URL too."""
        self._values = {"uuid": uuid, "ai_url": ai_url, "host": target.host, "port": str(target.port)}
        if target.control_url is not None:
            self._values["control_url"] = target.control_url.rstrip("/")
        self._refuse_without_control_url()
        for index, hook in enumerate(self._scenario.before):
            try:
                self._note("before", f"{hook.title}: {await self._carry_out(hook)}")
            except (HookFailed, HookNotMet) as error:
                asked = f"expected {asked_for(hook)}, and got " if isinstance(error, HookNotMet) else ""
                raise TargetError(f"{self._line('before', index, hook)}: {asked}{error}") from error
        self._after_is_due = True

    async def after(self) -> bool:
        """Carry out the hooks after the call, once, if those before it were carried out.

        Logs a failure for each whose answer is not the one that was asked for; returns whether there was none. Raises
        TargetError, at the end, if one of them could not be carried out.
        """
        due, self._after_is_due = self._after_is_due, False
        held, fault = True, None
        for index, hook in enumerate(self._scenario.after if due else ()):
            try:
                self._note("after", f"{hook.title}: {await self._carry_out(hook)}")
            except HookNotMet as error:
                held = False
                place = StepPlace(0, (index,), f"hook {index + 1} ({hook.title})")
                self._fail(place, asked_for(hook), str(error))
            except HookFailed as error:
                fault = fault or TargetError(f"{self._line('after', index, hook)}: {error}")
        if fault is not None:
            raise fault
        return held

    def _refuse_without_control_url(self) -> None:
        """Raise TargetUsageError for a hook, also one after the call, that asks for a control URL that is not there."""
        for key in () if "control_url" in self._values else ("before", "after"):
            for index, hook in enumerate(getattr(self._scenario, key)):
                if hook.asks_for("control_url"):
                    line = self._line(key, index, hook)
                    raise TargetUsageError(f"{line}: the target has no control URL (docs/targets.md)")

    async def _carry_out(self, hook: Hook) -> str:
        return await carry_out_hook(hook, self._values, self._scenario.folder)

    def _line(self, key: str, index: int, hook: Hook) -> str:
        """The beginning of an error: `call.yaml:4: before, hook 1 (POST {control_url}/expected)`."""
        where = self._scenario.written.line(key, index)
        return f"{where}: {key}, hook {index + 1} ({hook.title})".removeprefix(": ")
