"""Which answer of a cassette a request gets. Pure."""

from audiosocket_sim.mock_ai.cassette_order import CassetteOrder, differs
from audiosocket_sim.scenario.cassette import RawAnswer, RawExchange

ANSWER = RawAnswer(0)


def exchange(path: str, method: str = "POST", answer: RawAnswer | None = ANSWER, body: bytes = b"") -> RawExchange:
    return RawExchange(method, path, body, answer)


def chosen(order: CassetteOrder, *requests: tuple[str, ...]) -> list[int | None]:
    found = (order.choose(*request) for request in requests)
    return [None if each is None else each.number for each in found]


def test_each_path_has_its_own_order() -> None:
    order = CassetteOrder([exchange("/say?a=1"), exchange("/hear"), exchange("/say")])
    assert chosen(order, *(("POST", path) for path in ("/hear", "/say", "/say", "/say"))) == [2, 1, 3, None]


def test_a_path_that_was_never_asked_gets_the_next_answer() -> None:
    order = CassetteOrder([exchange("/v1/chat"), exchange("/v1/chat")])
    assert chosen(order, ("GET", "/v1/chat"), *[("POST", "/messages")] * 3) == [None, 1, 2, None]


def test_sentences_that_are_spoken_at_once_may_overtake_one_another() -> None:
    said = [exchange("/say", body=b'{"text": "%s."}' % word) for word in (b"Um", b"Dois", b"Tres", b"Quatro")]
    order = CassetteOrder([*said, exchange("/say")])
    asked = [("POST", "/say", words) for words in ("dois", "Um!", "Outro.", "Quatro.", "Outro.")]
    assert chosen(order, *asked) == [2, 1, 5, 4, 3]
    assert [differs(each, "Três.") for each in (*said, exchange("/say"))] == [True, True, False, True, False]


def test_what_was_never_asked_is_named_if_it_asked_anything() -> None:
    order = CassetteOrder([exchange("/a"), exchange("/b"), exchange("/b", answer=None), exchange("/health", "GET")])
    order.choose("POST", "/a")
    assert order.unused() == ["question 2 of the cassette (POST /b)"]


def test_it_waits_for_what_may_come_next_in_the_same_words_or_the_same_json() -> None:
    order = CassetteOrder(
        [exchange("/say", body=b'{"text": "Sim."}'), exchange("/say", body=b'{"turn": 1}'), exchange("/say")]
    )
    assert order.waits_for("POST", "/say", b'{"text": "sim", "of": 2}')
    assert order.waits_for("POST", "/say", b'{ "turn" : 1 }')
    for body in (b'{"text": "Nao."}', b'{"turn": 2}', b"", b"plain", b'{"text": ""}'):
        assert not order.waits_for("POST", "/say", body)
    assert not order.waits_for("GET", "/say", b'{"turn": 1}')
    order.choose("POST", "/say", "Sim")
    assert not order.waits_for("POST", "/say", b'{"text": "sim"}')


def test_a_question_has_its_number_in_the_file() -> None:
    own = RawExchange("POST", "/say?x=1", b"", ANSWER, "ana", number=7)
    assert CassetteOrder([own]).unused() == ["question 7 of the cassette (POST /say)"]


def test_it_begins_again_for_another_call_if_it_shall() -> None:
    order = CassetteOrder([exchange("/a")], again=True)
    assert chosen(order, *[("POST", "/a")] * 2) == [1, 1]
