"""The files that an Asterisk of one test lives on: all in one folder, nothing of the system's is read or written.

With these modules it opens no network socket of its own; a phone's RTP, where there is one, is on loopback.
"""

from pathlib import Path

from audiosocket_sim.asterisk_real.packages import Installation

__all__ = ["LOG_TIME", "write_files"]

LOG_TIME = "%F %T.%6q"
"""How the console's lines begin, in brackets: to the microsecond, since they are read later than they are written."""

_MODULES = (
    "res_timing_timerfd",
    "codec_resample",
    "codec_ulaw",
    "codec_alaw",
    "codec_g722",
    "codec_gsm",
    "format_sln",
    "pbx_config",
    "pbx_spool",
    "res_clioriginate",
    "app_playback",
    "app_senddtmf",
    "app_record",
    "app_dial",
    "app_verbose",
    "app_mixmonitor",
    "app_transfer",
    "func_channel",
    "func_global",
    "func_jitterbuffer",
    "func_logic",
    "func_strings",
    "func_timeout",
    "func_uuid",
    "bridge_simple",
    "res_sorcery_config",
    "res_sorcery_memory",
    "res_sorcery_astdb",
    "res_pjproject",
    "res_rtp_asterisk",
    "res_rtp_multicast",
    "chan_rtp",
    "res_audiosocket",
    "app_audiosocket",
    "chan_audiosocket",
)
_FOLDERS = ("etc", "var", "keys", "agi", "run", "log", "spool/outgoing", "spool/tmp", "spool/monitor")


def write_files(folder: Path, installation: Installation, dialplan: str) -> Path:
    """Write the configuration with `dialplan` as extensions.conf. Returns asterisk.conf, which names all the others."""
    for name in _FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    etc = folder / "etc"
    present = [name for name in _MODULES if (installation.modules / f"{name}.so").exists()]
    files = {
        "asterisk.conf": _asterisk_conf(folder, installation),
        "modules.conf": "[modules]\nautoload=no\n" + "".join(f"load={name}.so\n" for name in present),
        "logger.conf": f"[general]\ndateformat={LOG_TIME}\n[logfiles]\nconsole => notice,warning,error,verbose\n",
        "rtp.conf": "[general]\nrtcpinterval=600000\n",
        "extensions.conf": dialplan,
    }
    for name in ("ccss", "cdr", "cel", "features", "acl", "udptl", "stasis", "indications", "pjproject", "manager"):
        files.setdefault(f"{name}.conf", "[general]\nenabled=no\n" if name in ("cdr", "manager") else "")
    for name, text in files.items():
        (etc / name).write_text(text, encoding="utf-8")
    return etc / "asterisk.conf"


def _asterisk_conf(folder: Path, installation: Installation) -> str:
    folders = {
        "astetcdir": folder / "etc",
        "astmoddir": installation.modules,
        "astvarlibdir": folder / "var",
        "astdbdir": folder / "var",
        "astkeydir": folder / "keys",
        "astdatadir": installation.data,
        "astagidir": folder / "agi",
        "astspooldir": folder / "spool",
        "astrundir": folder / "run",
        "astlogdir": folder / "log",
    }
    lines = "".join(f"{name} => {path}\n" for name, path in folders.items())
    return f"[directories]\n{lines}\n[options]\nnocolor = yes\nverbose = 1\n"
