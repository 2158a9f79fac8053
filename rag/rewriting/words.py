"""The English words that show how a question is built."""

from __future__ import annotations

import re


def _words(words: str) -> frozenset[str]:
    return frozenset(words.split())


QUESTION_WORDS = _words("what which who whom whose when where why how")
BE = _words("is are was were be been being")
DO = _words("do does did can could may might must shall should will would")
AUXILIARIES = BE | DO | _words("has have had")
SUBJECTS = _words("i you we he she it they one somebody someone anybody anyone everybody nobody")
PRONOUNS = SUBJECTS | _words("me us him her them there then myself yourself it's that's")
PREPOSITIONS = _words(
    "of in on at for from to with without by about during before after under over above below "
    "between within since until till per than as into onto near around through against inside "
    "outside across along via despite regarding concerning according aboard toward towards "
    "beyond"
)
PLACE_PREPOSITIONS = _words("in at near around inside")
ARTICLES = _words("the a an")
DETERMINERS = ARTICLES | _words(
    "this that these those my your our his her its their any some all each every no both another"
)
CONJUNCTIONS = _words("and or but if unless while because although though so when where who which")
SUBORDINATORS = _words("if when while before after until once because as unless since whether")
ADVERBS = _words(
    "still also ever now yet too not never only just already often always regularly exactly "
    "please really again else instead there then here today currently usually normally back "
    "well so ahead"
)
INTERJECTIONS = _words(
    "thanks thank hello hi hey ok okay yes no please great good sorry bye really sure cool nice "
    "perfect understood right wow never"
)
REQUESTS = _words(
    "tell show give explain list describe find say compare summarise summarize define"
)
PEOPLE = _words(
    "staff student students colleague colleagues visitor visitors manager managers people "
    "person member members guest guests employee employees child children parent parents friend "
    "friends partner partners relative relatives newcomer newcomers trainee trainees apprentice "
    "apprentices technician technicians scientist scientists crew researcher researchers "
    "contractor contractors director directors officer officers head heads captain master nurse "
    "librarian president doctor doctors mother father adult adults user users customer "
    "customers volunteer volunteers teacher teachers citizen citizens men women man woman pupil "
    "pupils soldier soldiers author authors minister chair secretary leader leaders worker "
    "workers chief engineer cook"
)
SAYING = _words("said say says claimed claim claims reported reports wrote writes denied stated")
MOVING = _words("get go travel come drive walk move fly sail")
_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
TIME = re.compile(
    rf"(?:1\d|20)\d\d|(?:{_MONTHS})|(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
    "|weekdays?|weekends?|winter|summer|spring|autumn",
    re.IGNORECASE,
)
_VERBS = _words(
    "get take need use pay cost last keep hold begin start end open close meet rise fall serve "
    "lend borrow book claim ask apply decide work leave join stay carry bring send buy sell "
    "give receive return report happen mean include allow cover require change find make see "
    "park charge eat speak call contact tell write sign approve store run lead own warn die "
    "come go live win lose found build expire seat burn belong become resign say grant offer "
    "leave count sit carry earn"
)
_PAST = _words(
    "kept paid held sent made given taken built found done bought sold run left met begun worth "
    "read written known won lost got came went began rose fell became told said wrote spoken "
    "set lent spent open closed free due available possible necessary long old big high shut "
    "valid different"
)

NOUNS_TOO = _words("leave work report change claim book call stay cost park charge sign count seat")


def is_verb(word: str) -> bool:
    """Whether a lower-case word is a form of a verb that questions are often about."""
    stems = {word, word.removesuffix("s"), word.removesuffix("es"), word.removesuffix("d")}
    return bool(_VERBS & (stems | {word.removesuffix("ed")}))


def ends_clause(word: str) -> bool:
    """Whether a lower-case word behind a noun is what is said of it: "kept", "allowed", "open"."""
    return word in _PAST or (word.endswith("ed") and len(word) > 4) or is_verb(word)


def is_plural(word: str) -> bool:
    """Whether a noun takes a plural verb."""
    word = word.lower()
    if word in {"people", "staff", "men", "women", "children", "police", "they", "these", "those"}:
        return True
    return word.endswith("s") and not word.endswith(("ss", "us", "is", "'s", "’s"))
