"""What the three languages call numbers, money and times of day, as tables; and which language a text is in.

All words stand in the form of `phrase_book.book.normalise`: lower case, without accents.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from audiosocket_core.phrase_book.book import normalise

__all__ = ["ENGLISH", "PORTUGUESE", "SPANISH", "WordTables", "language_of_texts", "likely_language", "tables_of"]


def _words(text: str) -> list[str]:
    return text.split()


def _numbered(words: str, first: int, step: int = 1) -> dict[str, int]:
    """Words in the order of their numbers; `a/b` are two words for one number."""
    pairs = enumerate(words.split())
    return {word: first + step * place for place, alternatives in pairs for word in alternatives.split("/")}


@dataclass(frozen=True, slots=True)
class WordTables:
    """One language. `units`: 0 to 19 and words that stand alone for two digits; `tens`, `hundreds`: words by value.

    `joins`: the words between the parts of a number. `point`: the word of the decimal sign, which is `decimal` in
    digits; the other sign groups thousands.
    """

    code: str
    units: Mapping[str, int]
    tens: Mapping[str, int]
    hundreds: Mapping[str, int]
    scales: Mapping[str, int]
    joins: frozenset[str]
    point: frozenset[str]
    decimal: str
    ordinals: Mapping[int, str]
    money: Mapping[str, str]
    """Names and signs of currencies, and the one name by which they are compared."""
    cents: Mapping[str, str]
    """Names of the hundredth part, and the currency that is meant where none is named."""
    percent: tuple[tuple[str, ...], ...]
    clock: frozenset[str]
    """Words right before a time of day: `às`, `at`, `las`. They belong to it."""
    sure_clock: frozenset[str]
    """Those, as they are written, behind which a whole number is a time: `às 8`."""
    hours: frozenset[str]
    minutes: frozenset[str]
    half: frozenset[str]
    quarter: frozenset[str]
    noon: Mapping[tuple[str, ...], int]
    """Words for a whole time of day, with its hour."""
    halves_of_day: Mapping[tuple[str, ...], str]
    """Words behind a time: `am` or `pm`; "" for words that change nothing, such as `em ponto`."""
    negations: frozenset[str] = frozenset()
    """Words that deny a sentence: one more or one less is another meaning."""
    zero_in_digits: frozenset[str] = frozenset()
    six_in_digits: frozenset[str] = frozenset()
    common: frozenset[str] = field(default=frozenset())
    """Frequent words, by which the language is recognised."""


_MONEY = {
    "r$": "reais",
    "real": "reais",
    "reais": "reais",
    "reales": "reais",
    "us$": "dolares",
    "dolar": "dolares",
    "dolares": "dolares",
    "dollar": "dolares",
    "dollars": "dolares",
    "usd": "dolares",
    "brl": "reais",
    "€": "euros",
    "eur": "euros",
    "euro": "euros",
    "euros": "euros",
    "£": "libras",
    "libra": "libras",
    "libras": "libras",
    "pound": "libras",
    "pounds": "libras",
    "peso": "pesos",
    "pesos": "pesos",
}

PORTUGUESE = WordTables(
    "pt",
    units=_numbered(
        "zero um/uma dois/duas tres quatro cinco seis sete oito nove dez onze doze treze quatorze/catorze quinze "
        "dezesseis/dezasseis dezessete/dezassete dezoito dezenove/dezanove",
        0,
    ),
    tens=_numbered("vinte trinta quarenta cinquenta/cinqueenta sessenta setenta oitenta noventa", 20, 10),
    hundreds=_numbered(
        "cem/cento duzentos/duzentas trezentos/trezentas quatrocentos/quatrocentas quinhentos/quinhentas "
        "seiscentos/seiscentas setecentos/setecentas oitocentos/oitocentas novecentos/novecentas",
        100,
        100,
    ),
    scales={"mil": 1000, "milhao": 10**6, "milhoes": 10**6, "bilhao": 10**9, "bilhoes": 10**9},
    joins=frozenset({"e"}),
    point=frozenset({"virgula", "ponto"}),
    decimal=",",
    ordinals=dict(enumerate(_words("primeiro segundo terceiro quarto quinto sexto setimo oitavo nono decimo"), 1)),
    money=_MONEY | {"$": "dolares"},
    cents={"centavo": "reais", "centavos": "reais", "centimo": "euros", "centimos": "euros"},
    percent=(("por", "cento"), ("porcento",)),
    clock=frozenset({"as", "a", "ao"}),
    sure_clock=frozenset({"às"}),
    hours=frozenset({"hora", "horas", "h", "hs", "hrs"}),
    minutes=frozenset({"minuto", "minutos", "min"}),
    half=frozenset({"meia"}),
    quarter=frozenset({"quarto"}),
    noon={("meio", "dia"): 12, ("meiodia",): 12, ("meia", "noite"): 0, ("meianoite",): 0},
    halves_of_day={
        ("da", "manha"): "am",
        ("da", "madrugada"): "am",
        ("da", "tarde"): "pm",
        ("da", "noite"): "pm",
        ("em", "ponto"): "",
        ("am",): "am",
        ("pm",): "pm",
    },
    negations=frozenset({"nao", "nunca", "jamais", "nem"}),
    six_in_digits=frozenset({"meia"}),
    common=frozenset(
        _words(
            "a o os as um uma de do da dos das em no na nos nas para por com que se e eu voce ele ela nao sim "
            "esta estou sao posso pode falar quero obrigado obrigada bom boa dia tarde noite ola aguarde seu sua "
            "senhor ate logo aqui agora mais tambem meu minha isso qual como ao foi ser tem apartamento ja entao"
        )
    ),
)

ENGLISH = WordTables(
    "en",
    units=_numbered(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen",
        0,
    ),
    tens=_numbered("twenty thirty forty/fourty fifty sixty seventy eighty ninety", 20, 10),
    hundreds={},
    scales={"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9},
    joins=frozenset({"and"}),
    point=frozenset({"point"}),
    decimal=".",
    ordinals=dict(enumerate(_words("first second third fourth fifth sixth seventh eighth ninth tenth"), 1)),
    money=_MONEY | {"$": "dolares"},
    cents={"cent": "dolares", "cents": "dolares", "pence": "libras"},
    percent=(("percent",), ("per", "cent")),
    clock=frozenset({"at"}),
    sure_clock=frozenset(),
    hours=frozenset({"oclock"}),
    minutes=frozenset({"minute", "minutes"}),
    half=frozenset({"half"}),
    quarter=frozenset({"quarter"}),
    noon={("noon",): 12, ("midday",): 12, ("midnight",): 0},
    halves_of_day={
        ("in", "the", "morning"): "am",
        ("in", "the", "afternoon"): "pm",
        ("in", "the", "evening"): "pm",
        ("at", "night"): "pm",
        ("o", "clock"): "",
        ("oclock",): "",
        ("sharp",): "",
        ("am",): "am",
        ("pm",): "pm",
    },
    negations=frozenset(
        _words(
            "no not never nor neither cannot cant couldnt dont doesnt didnt wont wouldnt shouldnt isnt arent wasnt "
            "werent hasnt havent hadnt mustnt neednt aint"
        )
    ),
    zero_in_digits=frozenset({"oh", "o"}),
    common=frozenset(
        _words(
            "the a an of to in is are was it you your i we my and or for with on at that this please thank thanks "
            "hello good morning afternoon how can help what would like speak moment be have has not yes will his "
            "her from by do does welcome here there could may apartment now"
        )
    ),
)

SPANISH = WordTables(
    "es",
    units=_numbered(
        "cero uno/un/una dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis "
        "diecisiete dieciocho diecinueve",
        0,
    )
    | _numbered(
        "veinte veintiuno/veintiun/veintiuna veintidos veintitres veinticuatro veinticinco veintiseis veintisiete "
        "veintiocho veintinueve",
        20,
    ),
    tens=_numbered("treinta cuarenta cincuenta sesenta setenta ochenta noventa", 30, 10),
    hundreds=_numbered(
        "cien/ciento doscientos/doscientas trescientos/trescientas cuatrocientos/cuatrocientas quinientos/quinientas "
        "seiscientos/seiscientas setecientos/setecientas ochocientos/ochocientas novecientos/novecientas",
        100,
        100,
    ),
    scales={"mil": 1000, "millon": 10**6, "millones": 10**6},
    joins=frozenset({"y"}),
    point=frozenset({"coma", "punto"}),
    decimal=",",
    ordinals=dict(enumerate(_words("primero segundo tercero cuarto quinto sexto septimo octavo noveno decimo"), 1)),
    money=_MONEY | {"$": "dolares"},
    cents={"centavo": "pesos", "centavos": "pesos", "centimo": "euros", "centimos": "euros"},
    percent=(("por", "ciento"),),
    clock=frozenset({"las", "la", "al", "a"}),
    sure_clock=frozenset({"las"}),
    hours=frozenset({"hora", "horas", "h", "hs", "hrs"}),
    minutes=frozenset({"minuto", "minutos", "min"}),
    half=frozenset({"media"}),
    quarter=frozenset({"cuarto"}),
    noon={("mediodia",): 12, ("medianoche",): 0},
    halves_of_day={
        ("de", "la", "manana"): "am",
        ("de", "la", "madrugada"): "am",
        ("de", "la", "tarde"): "pm",
        ("de", "la", "noche"): "pm",
        ("en", "punto"): "",
        ("am",): "am",
        ("pm",): "pm",
    },
    negations=frozenset({"no", "nunca", "jamas", "ni", "tampoco"}),
    common=frozenset(
        _words(
            "el la los las un una de del en con que se y o yo usted no si esta estoy son puedo puede hablar "
            "quiero gracias buenos buenas dias tardes noches hola espere momento su senor senora hasta luego aqui "
            "ahora mas tambien mi eso cual como al fue ser tiene por para le lo apartamento ayudar ayudarle en "
            "que"
        )
    ),
)

_ALL = (PORTUGUESE, ENGLISH, SPANISH)
_KNOWN = tuple(
    {*tables.common, *tables.units, *tables.tens, *tables.hundreds, *tables.scales, *tables.ordinals.values()}
    for tables in _ALL
)


def likely_language(texts: Iterable[str]) -> str | None:
    """Return the language of the texts taken together, `pt`, `en` or `es`; None if none of their words tells."""
    words = [word for text in texts for word in normalise(text).split()]
    scores = [sum(word in known for word in words) for known in _KNOWN]
    return _ALL[scores.index(max(scores))].code if any(scores) else None


def language_of_texts(texts: Iterable[str]) -> str:
    """Return the language of the texts taken together, `pt`, `en` or `es`, by their frequent words; `pt` if unclear."""
    return likely_language(texts) or PORTUGUESE.code


def tables_of(language: str) -> WordTables:
    """Return the tables of a language by its tag, such as pt-BR; those of Portuguese for a language without any."""
    code = language.partition("-")[0].casefold()
    return next((tables for tables in _ALL if tables.code == code), PORTUGUESE)
