"""Texts to cut into words, and the patterns that cut them."""

import random
import re
import sys
import unicodedata

# WhitespaceTokenSplitter of gliner 0.2.29.
GLINER = re.compile(r"\w+(?:[-_]\w+)*|\S")

# WhitespaceTokenSplitter of gliner2 2.1.0.
_MARKS = "".join(chr(c) for c in range(sys.maxunicode + 1)
                 if unicodedata.category(chr(c))[0] == "M")
_WORD = rf"[\w{_MARKS}\u200c\u200d]"
GLINER2 = re.compile(
    r"(?:https?://[^\s]+|www\.[^\s]+)|[a-z0-9._%+-]+@[a-z0-9.-]+\.[a-z]{2,}"
    rf"|@[a-z0-9_]+|{_WORD}+(?:[-_]{_WORD}+)*|\S", re.IGNORECASE)

FIXED = [
    "", " ", "a", "a_-b", "a-b_c--d", "_", "-", "a-", "-a", "a--b", "a-_b", "__a",
    "a\u0301bc", "\u0928\u092e\u0938\u094d\u0924\u0947", "x\u00b2\u00bd\u2167",
    "a\u200cb", "\u200b x \u200b", "\x1c\x1d\x1e\x1f", "a\x85b\xa0c",
    "\u1680a\u2028b\u2029c\u202fd\u205fe\u3000f", "\ufeffa", "\U0001f600-\U0001f600",
    "e-mail_me at a_b-c@x.org: https://example.org/a?b=1", "a\u2010b a\u00adb",
    "\u203fa \ufe4f\uff3fb",
]
# Of addresses and of letters' case.
FIXED2 = [
    "a@b", "a@b.c", "a@b.cd", "A.B+c@x-y.z.ORG.", "a@.cd", "a@b..cd", "a@b.cd.e",
    "a@b.c\u0131d", "\u212a@\u017f.\u0130\u0131", "@a_1", "@-", "a%b@c", "%@c.de-f.gh1",
    "http\u017f://x", "HTTPS://X y", "http:// x", "http://", "www.", "wwW.\u00e9 z",
    "xwww.a", "a@www.b.cd", "a@b@c.de", "..@..aa", "a-@b.cd", "a@b.cd-ef.g",
    "\u0391\u03a3 \u0391\u03a3\u0391 \u03a3 \u0391\u0301\u03a3 a.\u03a3@x.org",
    "\u0130stanbul I\u0307 \u1e9e \u01c5 \ua64a \U00010400 \u13a0 \u10a0",
]


def alphabets():
    """Code points by their general category, those of planes 0 to 3 and 14."""
    members = {}
    for code_point in range(0x110000):
        if 0xD800 <= code_point < 0xE000 or 0x40000 <= code_point < 0xE0000:
            continue
        members.setdefault(unicodedata.category(chr(code_point)), []).append(
            code_point)
    return members


def texts(seed, count, fixed=FIXED):
    """The fixed texts, then random ones: `count` together."""
    rnd = random.Random(seed)
    members = alphabets()
    categories = sorted(members)

    def character():
        kind = rnd.random()
        if kind < 0.25:
            return rnd.choice("-_-_ ")
        if kind < 0.5:
            return rnd.choice("abcXYZ019")
        if kind < 0.6:
            return rnd.choice(" \t\n\u00a0.,@:/%+")
        return chr(rnd.choice(members[rnd.choice(categories)]))

    yield from fixed[:count]
    for _ in range(count - len(fixed)):
        yield "".join(character() for _ in range(rnd.randrange(1, 30)))
