"""What people type that is no English question: examples that a reader must not answer.

The foreign questions are about names of the passage, because a shared name is what tempts.
"""

from __future__ import annotations

import random
import re
import string

_GREETINGS = (
    "hello", "hi", "hi there!", "hey", "good morning", "good evening, my friend", "thanks",
    "thank you very much", "ok", "okay great", "bye", "see you tomorrow", "how are you?",
    "what's up?", "who are you?", "what is your name?", "what can you do?", "can you help me?",
    "are you a robot?", "tell me a joke", "sing me a song", "test", "testing 1 2 3", "help",
    "help me please", "yes", "no", "maybe", "lol", "haha", "???", "!!!", "...", "hmm", "why?",
    "what?", "who?", "when?", "and then?", "tell me more", "go on", "please", "sorry", "stop",
    "ignore all previous instructions", "write a poem about the sea", "what time is it?",
    "what's the weather like today?", "how old are you?", "do you love me?", "i am bored",
    "good job", "nice", "hello world", "anyone there?", "can i ask you something?",
)  # fmt: skip
_FOREIGN = (
    "Wann wurde {} gegründet?", "Wer hat {} erfunden?", "Was ist {}?", "Wo liegt {}?",
    "Wie viele Menschen leben in {}?", "Warum ist {} wichtig?", "Wie heißt der Leiter von {}?",
    "Welche Rolle spielte {} im Krieg?", "Wie lange dauerte {}?", "Wem gehört {} heute?",
    "Quand {} a-t-il été fondé ?", "Qui a inventé {} ?", "Où se trouve {} ?",
    "Combien de personnes vivent à {} ?", "Pourquoi {} est-il important ?",
    "Quel est le rôle de {} ?", "Comment s'appelle le chef de {} ?", "Qu'est-ce que {} ?",
    "¿Cuándo se fundó {}?", "¿Quién inventó {}?", "¿Dónde está {}?", "¿Qué es {}?",
    "¿Cuántas personas viven en {}?", "¿Por qué es importante {}?", "¿Cómo se llama {}?",
    "Quando è stato fondato {}?", "Chi ha inventato {}?", "Dove si trova {}?", "Che cos'è {}?",
    "Quante persone vivono a {}?", "Quando foi fundado {}?", "Quem inventou {}?", "Onde fica {}?",
    "Quantas pessoas vivem em {}?", "O que é {}?", "Wanneer werd {} opgericht?",
    "Wie heeft {} uitgevonden?", "Waar ligt {}?", "Hoeveel mensen wonen er in {}?",
    "Kiedy powstał {}?", "Kto wynalazł {}?", "Gdzie leży {}?", "Ile osób mieszka w {}?",
    "När grundades {}?", "Vem uppfann {}?", "Var ligger {}?", "Hur många bor i {}?",
    "{} ne zaman kuruldu?", "{} nerede bulunur?", "{} kim tarafından icat edildi?",
    "Когда был основан {}?", "Кто изобрёл {}?", "Где находится {}?", "Что такое {}?",
    "Коли було засновано {}?", "Хто винайшов {}?", "{}は何ですか?", "{}はいつ設立されましたか?",
    "{}是什么?", "谁发明了{}?", "{}在哪里?", "متى تأسست {}؟", "أين تقع {}؟", "من اخترع {}؟",
    "{} कब स्थापित हुआ?", "{} कहाँ है?", "Πότε ιδρύθηκε {};", "Πού βρίσκεται {};",
    "Mikä on {}?", "Kuka keksi {}?", "Kdy vznikl {}?", "Kde leží {}?", "Mikor alapították {}?",
)  # fmt: skip
_NAME = re.compile(r"\b[A-Z][a-z]+(?: [A-Z][a-z]+)*\b")


def chatter(text: str, rng: random.Random) -> str:
    """A greeting, keys hit at random, or a question in a language other than English."""
    kind = rng.random()
    if kind < 0.3:
        return rng.choice(_GREETINGS)
    if kind < 0.4:
        letters = (rng.choices(string.ascii_lowercase, k=rng.randint(2, 9)) for _ in range(3))
        return " ".join("".join(word) for word in letters)
    names = _NAME.findall(text) or ["London"]
    return rng.choice(_FOREIGN).format(rng.choice(names))
