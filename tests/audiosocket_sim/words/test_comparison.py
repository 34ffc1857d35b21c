"""Two texts of one meaning are the same, however they are written; two meanings never are."""

import pytest

from audiosocket_sim.words import compare, difference, language_of_texts, plain_text, terms_of

SAME = [
    # case, accents, punctuation
    ("Condomínio Apoena, em que posso ajudar?", "condominio apoena em que posso ajudar"),
    ("Bem-vindo ao Apoena.", "bem vindo ao a poena"),
    ("Benvindo ao Apoena", "ben vindo ao Apoena"),
    ("I'm sorry, we're closed.", "im sorry were closed"),
    # numbers
    ("Quero falar com o apartamento 202.", "quero falar com o apartamento duzentos e dois"),
    ("Quero falar com o apartamento 202.", "quero falar com o apartamento dois zero dois"),
    ("o apartamento 362", "o apartamento três meia dois"),
    ("o apartamento 202", "o apartamento 2-0-2"),
    ("São 121.304 pessoas", "são cento e vinte e um mil trezentas e quatro pessoas"),
    ("No ano de 1999", "no ano de mil novecentos e noventa e nove"),
    ("Mil pessoas", "1000 pessoas"),
    ("Um milhão de pessoas", "1.000.000 de pessoas"),
    ("2,5 milhões de pessoas", "dois vírgula cinco milhões de pessoas"),
    ("Ligue para (11) 98765-4321.", "ligue para onze nove oito sete seis cinco quatro três dois um"),
    ("Ligue 0800", "ligue zero oitocentos"),
    ("o número do senhor é 12.34.56", "o número do senhor é 123456"),
    ("São 2.5 metros", "são dois vírgula cinco metros"),
    ("são 3,141 metros", "são três vírgula um quatro um metros"),
    ("1º andar, 2ª porta, 25º lugar", "primeiro andar, segunda porta, 25 lugar"),
    ("Room 105 please", "room one hundred and five please"),
    ("Room 202 please", "room two oh two please"),
    ("There are 21,300 of them", "there are twenty-one thousand three hundred of them"),
    ("It was in 1984", "it was in nineteen eighty-four"),
    ("the 1st and the 21st", "the first and the 21st"),
    ("It is 1,234.5 miles", "it is one thousand two hundred thirty-four point five miles"),
    ("Son 35 personas", "son treinta y cinco personas"),
    ("Son 22 personas", "son veintidós personas"),
    ("Hay 1.250 personas en la sala", "hay mil doscientos cincuenta personas en la sala"),
    # money
    ("O total é R$ 1.250,50.", "o total é mil duzentos e cinquenta reais e cinquenta centavos"),
    ("O total é R$ 1.250,50.", "o total é 1250 reais e 50 centavos"),
    ("São R$ 0,50.", "são cinquenta centavos"),
    ("Custa um milhão de reais.", "custa R$ 1.000.000,00"),
    ("It costs $25.99 for you", "it costs twenty-five dollars and ninety-nine cents for you"),
    ("It is $2 million", "it is two million dollars"),
    ("Son $45 por persona", "son cuarenta y cinco pesos por persona"),
    ("El total es de 45 pesos", "el total es de $45"),
    ("Son 12,50 € para usted", "son doce euros con cincuenta céntimos para usted"),
    ("10% de desconto para você", "dez por cento de desconto para você"),
    ("a discount of 10%", "a discount of ten percent"),
    # times of day
    ("A consulta é às 14h30.", "a consulta é às duas e meia da tarde"),
    ("A consulta é às 14h30.", "a consulta é às quatorze e trinta"),
    ("A consulta é às 14:30.", "a consulta é às 14 horas e 30 minutos"),
    ("A consulta é às 14h.", "a consulta é às duas da tarde"),
    ("A consulta é às 20h25.", "a consulta é às vinte e vinte e cinco"),
    ("A consulta é às 20:05.", "a consulta é às vinte e cinco"),
    ("A consulta é às 2:45.", "a consulta é às quinze para as três"),
    ("A consulta é às 11:50.", "a consulta é dez para o meio-dia"),
    ("A consulta é às 12:30.", "a consulta é ao meio-dia e meia"),
    ("A consulta é às 8.", "a consulta é às oito horas em ponto"),
    ("A consulta é às 8h.", "a consulta é às 8"),
    ("A consulta é às 8h15 da manhã.", "a consulta é às oito e um quarto"),
    ("It is at 2:30 pm.", "it is at half past two in the afternoon"),
    ("It is at 2:30 pm.", "it is at two thirty p.m."),
    ("It is at 14:45", "it is at a quarter to three"),
    ("It is at 2:10", "it is at ten past two"),
    ("It is at 2 o'clock", "it is at two o clock"),
    ("It is at noon", "it is at 12 pm"),
    ("It is at 11:50", "it is at ten to noon"),
    ("São 8 agora", "são oito horas agora"),
    ("Venha às 2 e pouco", "venha às duas e pouco"),
    ("São 5 para 2 pessoas", "são cinco para duas pessoas"),
    ("São 5 para as crianças", "são cinco para as crianças"),
    ("La cita es a las 14:30", "la cita es a las dos y media de la tarde"),
    ("La cita es a las 2:45", "la cita es a las tres menos cuarto"),
    ("La cita es a las 8", "la cita es a las ocho de la mañana"),
    ("La cita es a las 0:15", "la cita es a medianoche y cuarto"),
]

OTHER = [
    ("o apartamento 202", "o apartamento 203"),
    ("o apartamento 202", "o apartamento duzentos e três"),
    ("São R$ 150,00", "são R$ 115,00"),
    ("São 100 reais", "são 100 dólares"),
    ("Son 100 pesos", "son 100 dólares"),
    ("em 2, 3 dias", "em 23 dias"),
    ("em 2 horas", "em 14 horas"),
    ("às 14h30", "às 14h40"),
    ("às 2 da manhã", "às 2 da tarde"),
    ("It is at 2 am", "it is at 2 pm"),
    ("pode subir", "não pode subir"),
    ("o andar vinte dois", "o andar 22"),
    ("los treinta cinco", "los 35"),
    ("twenty and five of them", "25 of them"),
    ("zero um", "1"),
    ("dois três", "23"),
    ("mil milhão", "1000000000"),
    ("two point of it", "2 of it"),
    ("hundred people came here", "100 people came here"),
    ("são vinte e cem pessoas", "são 120 pessoas"),
    ("os quartos 12, 345, 678 do hotel", "os quartos 12345678 do hotel"),
    ("o apartamento 3 meia", "o apartamento 36"),
]


@pytest.mark.every(4)
@pytest.mark.parametrize(("expected", "heard"), SAME)
def test_one_meaning_is_the_same_both_ways(expected: str, heard: str) -> None:
    assert difference(compare(expected, heard)).count("[") == 0
    assert compare(expected, heard).is_within(1)
    assert compare(heard, expected).is_within(1)


@pytest.mark.every(3)
@pytest.mark.parametrize(("expected", "heard"), OTHER)
def test_another_meaning_is_not(expected: str, heard: str) -> None:
    assert not compare(expected, heard).is_within(1)
    assert not compare(heard, expected).is_within(1)


def test_the_tolerance_counts_words() -> None:
    found = compare("a b c d e f g h i j", "a b c d e f g h i j k l", language="en")
    assert (found.wanted, found.errors, found.share) == (10, 2, 0.8)
    assert found.is_within(0.8)
    assert not found.is_within(0.81)


@pytest.mark.every(4)
@pytest.mark.parametrize("wanted", [1, 2, 3, 6, 7, 11, 15])
def test_the_share_is_exact_at_its_edge(wanted: int) -> None:
    words = [f"w{number}x" for number in range(wanted)]
    for wrong in range(wanted):
        heard = " ".join(["other"] * wrong + words[wrong:])
        assert compare(" ".join(words), heard, language="en").is_within((wanted - wrong) / wanted)


def test_a_number_that_is_another_one_is_never_tolerated() -> None:
    expected = "quero falar com o apartamento 202 por favor obrigado"
    found = compare(expected, "quero falar com o apartamento 203 por favor obrigado")
    assert found.share > 0.85
    assert not found.is_within(0.5)
    assert [pair.heard[0].plain for pair in found.other_numbers] == ["203"]
    assert compare(expected, "quero falar com o apartamento duzentas por favor obrigado").is_within(0.5) is False
    assert compare(expected, "quero falar com o apartamento do dois por favor obrigado").is_within(0.5) is False
    assert compare(expected, "quero falar com o apartamento bonito por favor obrigado").is_within(0.8)


@pytest.mark.parametrize(
    ("expected", "heard"),
    [
        ("o andar da entrega é o segundo da torre norte", "o andar da entrega é o terceiro da torre norte"),
        ("o andar da entrega é o 2º da torre norte", "o andar da entrega é o 3º da torre norte"),
        (
            "a visita fica para quarta-feira na portaria do prédio",
            "a visita fica para quinta-feira na portaria do prédio",
        ),
        ("o valor é R$ 10,50 e vence amanhã sem falta", "o valor é US$ 10,50 e vence amanhã sem falta"),
        ("o desconto é 10% do valor da taxa deste mês", "o desconto é R$ 10 do valor da taxa deste mês"),
    ],
)
def test_another_ordinal_or_unit_is_another_number(expected: str, heard: str) -> None:
    found = compare(expected, heard)
    assert found.share > 0.85
    assert found.other_numbers
    assert not found.is_within(0.5)


@pytest.mark.parametrize(
    ("expected", "heard"),
    [
        ("quero falar com o apartamento 202", "bom dia, quero falar com o apartamento 203, obrigado"),
        ("202 é o apartamento do morador agora", "o 203 é o apartamento do morador agora"),
        ("o apartamento fica no andar segundo", "bom dia, o apartamento fica no andar terceiro, senhor"),
        ("o total da conta é R$ 10", "bom dia, o total da conta é US$ 10, senhor"),
    ],
)
def test_another_number_at_the_edge_of_a_part_is_not_tolerated(expected: str, heard: str) -> None:
    found = compare(expected, heard, part=True)
    assert found.share > 0.8
    assert not found.is_within(0.5)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("o senhor não pode subir no apartamento agora", "o senhor pode subir no apartamento agora"),
        ("nunca abrimos o portão para quem vem de fora", "abrimos o portão para quem vem de fora"),
        ("sir you can not enter the building now please", "sir you can enter the building now please"),
        ("sir you can't enter the building now please", "sir you can enter the building now please"),
        ("usted no puede entrar en el edificio ahora", "usted puede entrar en el edificio ahora"),
    ],
)
def test_a_denial_that_is_missing_or_too_many_is_never_tolerated(one: str, other: str) -> None:
    for expected, heard in ((one, other), (other, one)):
        found = compare(expected, heard)
        assert found.share > 0.8
        assert found.is_denied
        assert not found.is_within(0.5)
    assert compare(one, other, part=True).is_denied


@pytest.mark.parametrize(
    ("expected", "heard"),
    [
        ("não pode subir agora no apartamento, senhor", "não, não pode subir agora no apartamento, senhor"),
        ("o portão nunca abre para quem vem de fora", "o portão não abre para quem vem de fora"),
        ("sir you do not have an appointment in our system", "sir you don't have an appointment in our system"),
        ("o apartamento fica no segundo andar do prédio", "o apartamento fica na segunda andar do prédio"),
        ("o encontro é no salão do prédio amanhã", "o encontro é na salão do prédio amanhã"),
        ("not yet sir but the first door is now open", "sir the first door is now open but not yet"),
    ],
)
def test_the_same_denial_in_other_words_is_tolerated(expected: str, heard: str) -> None:
    found = compare(expected, heard)
    assert not found.is_denied
    assert not found.other_numbers


def test_nothing_is_never_near_enough() -> None:
    assert not compare("sim", "não").is_within(0)
    assert not compare("sim", "").is_within(0)
    assert compare("...", "...").share == 0
    assert not compare("...", "...").is_within(0)


def test_a_part_may_stand_anywhere() -> None:
    heard = "Condomínio Apoena, bom dia, em que posso ajudar? Estou ouvindo."
    assert compare("em que posso ajudar", heard, part=True).is_within(1)
    assert compare("em que posso lhe ajudar", heard, part=True).errors == 1
    assert not compare("em que posso ajudar", heard).is_within(0.5)


def test_the_difference_is_read_word_by_word() -> None:
    found = compare("Quero falar com o apartamento 202 agora.", "quero ligar com apartamento 203 agora mesmo")
    assert difference(found) == (
        "Quero [falar → ligar] com [missing: o] apartamento [202 → 203] agora [extra: mesmo] (3 of 7 words right, 43%)"
    )
    assert difference(compare("Sim.", "Xing.")) == "[Sim → Xing] (0 of 1 word right, 0%)"
    assert difference(compare("R$ 10,00 agora", "R$ 10,00 aqui")) == "R$ 10,00 [agora → aqui] (2 of 3 words right, 67%)"
    assert difference(compare("são R$ 10,00", "são dez")) == "são R$ 10,00 [missing: reais] (2 of 3 words right, 67%)"


def test_a_pattern_sees_plain_text_with_digits() -> None:
    assert plain_text("Não: são duzentos e dois, às duas da tarde!", "pt-BR") == "nao sao 202 14:00"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Olá, em que posso ajudar?", "pt"),
        ("Hello, how can I help you?", "en"),
        ("Hola, ¿en qué puedo ayudarle?", "es"),
        ("twenty-one", "en"),
        ("veintidós", "es"),
        ("Apoena", "pt"),
    ],
)
def test_the_language_is_that_of_the_words(text: str, language: str) -> None:
    assert language_of_texts([text]) == language


def test_a_language_that_is_given_counts() -> None:
    assert [term.plain for term in terms_of("once", "es-MX")] == ["11"]
    assert [term.plain for term in terms_of("once", "en")] == ["once"]
    assert [term.plain for term in terms_of("onze", "de")] == ["11"]
