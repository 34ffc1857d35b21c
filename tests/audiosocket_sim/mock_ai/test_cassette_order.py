"""Which answer of a cassette a request gets. Pure."""

from audiosocket_sim.mock_ai.cassette_order import CassetteOrder
from audiosocket_sim.scenario.cassette import RawAnswer, RawExchange


def exchange(path: str, method: str = "POST", answer: RawAnswer | None = RawAnswer(0)) -> RawExchange:  # noqa: B008
    return RawExchange(method, path, b"", answer)


def test_each_path_has_its_own_order() -> None:
    said, heard, more = exchange("/say?a=1"), exchange("/hear"), exchange("/say")
    order = CassetteOrder([said, heard, more])
    assert [order.choose("POST", path) for path in ("/hear", "/say", "/say", "/say")] == [heard, said, more, None]


def test_a_path_that_was_never_asked_gets_the_next_answer() -> None:
    first, second = exchange("/v1/chat"), exchange("/v1/chat")
    order = CassetteOrder([first, second])
    assert [order.choose("POST", "/messages") for _ in range(3)] == [first, second, None]
    assert order.choose("GET", "/v1/chat") is None


def test_what_was_never_asked_is_named_if_it_asked_anything() -> None:
    order = CassetteOrder([exchange("/a"), exchange("/b"), exchange("/b", answer=None), exchange("/health", "GET")])
    order.choose("POST", "/a")
    assert order.unused() == ["question 2 of the cassette (POST /b)"]


def test_it_begins_again_for_another_call_if_it_shall() -> None:
    only = exchange("/a")
    order = CassetteOrder([only], again=True)
    assert [order.choose("POST", "/a") for _ in range(2)] == [only, only]
