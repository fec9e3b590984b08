#!/usr/bin/env python3
"""Writes src/text/unicode/unicode_tables.c and tests/golden/unicode.txt by asking the oracle about every code point.

    pip install tokenizers==0.23.3
    python3 tools/unicode_tables.py        (from the root of the repository; some minutes)

The tables are derived from the answers; the golden digests are taken of the answers themselves, so the test also
checks the packing. Surrogates cannot be asked about: they get 0 and the digests skip them.
"""

import codecs
import itertools
import random
import unicodedata

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

VERSION = "0.23.3"
POINTS = 0x110000
CHANGES_END = 0x30000  # as in unicode_tables.h

# In the order of unicode.h.
CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Cs Co Cn".split()
PATTERN_WORD, NUMERIC, COMBINING = 32, 64, 128

SPACE, BERT_REMOVED, BERT_SPACE, BERT_CHINESE, BERT_PUNCTUATION, MARK, WORD, CHANGES = (1 << i for i in range(8))


def scalar(point):
    return not 0xD800 <= point < 0xE000


# ---- the oracle's answers


def bert(**on):
    """A BertNormalizer of which only the named steps are on."""
    steps = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**{**steps, **on}).normalize_str


nfd = normalizers.NFD().normalize_str
nfc = normalizers.NFC().normalize_str
nfkd = normalizers.NFKD().normalize_str
nfkc = normalizers.NFKC().normalize_str
lower = normalizers.Lowercase().normalize_str
clean = bert(clean_text=True)
chinese = bert(handle_chinese_chars=True)
strip = bert(strip_accents=True)


def pieces(pre_tokenizer):
    return lambda text: [piece for piece, _ in pre_tokenizer.pre_tokenize_str(text)]


split_space = pieces(pre_tokenizers.WhitespaceSplit())
split_bert = pieces(pre_tokenizers.BertPreTokenizer())


def word_tokenizer():
    tokenizer = Tokenizer(models.WordLevel({"?": 0}, unk_token="?"))
    tokenizer.add_tokens([AddedToken("<x>", single_word=True, normalized=False)])
    return tokenizer


def word_points():
    """Points that keep a single_word token beside them from matching; both sides must agree."""
    tokenizer, words = word_tokenizer(), set()
    for start in range(0, POINTS, 0x4000):
        points = [point for point in range(start, start + 0x4000) if scalar(point)]
        after = tokenizer.encode_batch(["<x>" + chr(point) for point in points])
        before = tokenizer.encode_batch([chr(point) + "<x>" for point in points])
        for point, *encodings in zip(points, after, before):
            found = ["<x>" in encoding.tokens for encoding in encodings]
            assert found[0] == found[1], hex(point)
            if not found[0]:
                words.add(point)
    return words


def matched_points(regex):
    """Points that a regular expression of one character matches: the gaps in one long text."""
    points = [point for point in range(POINTS) if scalar(point)]
    split = pre_tokenizers.Split(Regex(regex), "removed")
    matched, at = set(), 0
    for _, (begin, end) in split.pre_tokenize_str("".join(map(chr, points))):
        matched.update(points[at:begin])
        at = end
    return matched.union(points[at:])


def traits():
    """Category and bits of each point; also checks what unicode.h says of the classes of regular expressions."""
    values = [CATEGORIES.index("Cs")] * POINTS
    sets = {name: matched_points(rf"\p{{{name}}}") for name in CATEGORIES}
    assert sum(map(len, sets.values())) == POINTS - 0x800
    for name, points in sets.items():
        for point in points:
            values[point] = CATEGORIES.index(name)
    digits, punctuation = pieces(pre_tokenizers.Digits(individual_digits=True)), pieces(pre_tokenizers.Punctuation())
    unaccented = normalizers.StripAccents().normalize_str
    words = matched_points(r"\w")
    for point in filter(scalar, range(POINTS)):
        char = chr(point)
        between = "a" + char + "b"
        values[point] |= PATTERN_WORD * (point in words) | NUMERIC * (digits(between) == ["a", char, "b"])
        values[point] |= COMBINING * (unaccented(between) == "ab")
        assert punctuation(between) == split_bert(between) or split_space(between) == ["a", "b"]

    def named(initials):
        return set().union(*(points for name, points in sets.items() if name[0] in initials))

    spaces = {point for point in filter(scalar, range(POINTS)) if split_space(f"a{chr(point)}b") == ["a", "b"]}
    assert matched_points(r"\s") == spaces
    assert matched_points(r"\d") == sets["Nd"]
    assert matched_points("[[:punct:]]") == named("PS")
    for initial in "LMNPSZ":
        assert matched_points(rf"\p{{{initial}}}") == named(initial)
    return values


def scripts():
    """A number for each script, by what the oracle keeps together; 0 is any."""
    together = pre_tokenizers.UnicodeScripts().pre_tokenize_str
    values, known = [0] * POINTS, ["a", "\u4eac"]
    for point in filter(scalar, range(POINTS)):
        alike = [script for script, char in enumerate(known[:2], 1) if len(together(char + chr(point))) == 1]
        if len(alike) == 2:
            continue
        if not alike:
            # Most points are of the script of the one before.
            order = sorted(range(3, len(known) + 1), key=lambda script: script != values[point - 1])
            alike = [script for script in order if len(together(known[script - 1] + chr(point))) == 1][:1]
        if not alike:
            known.append(chr(point))
            alike = [len(known)]
        values[point] = alike[0]
    assert len(known) < 256
    return values


# What may follow: the numbers of unicode.h.
GRAPHEMES = ("any control leading vowel trailing syllable syllable_closed extend linker conjunct joiner spacing "
             "prepend consonant pictograph regional").split()


def one_cluster():
    """A normalizer that gives one point for each grapheme cluster of under six bytes, else one for each character:
    every first byte is a key of its own, and the shortest key replaces the cluster."""
    # Units of the double array: a byte below 0x80 as label of position 256 ^ byte, its leaf at 512.
    units = [0] * 1024
    units[0] = 256 << 10
    for byte in range(1, 256):
        units[256 ^ byte] = ((256 ^ byte) ^ 512) << 10 | 1 << 8 | byte
    units[512] = 1 << 31
    blob = b"".join(unit.to_bytes(4, "little") for unit in units)
    charsmap = len(blob).to_bytes(4, "little") + blob + b"|\0"
    return normalizers.Precompiled(charsmap).normalize_str


def graphemes():
    """The grapheme break property of each point, from where Precompiled sees clusters; regional indicators and Hangul
    syllables never show."""
    normalize = one_cluster()

    def clusters(text):
        return len(normalize(text))

    mark, vowel, trailing, consonant, linker, sign = "\u0301", "\u1161", "\u11a8", "\u0915", "\u094d", "\u00a9"

    names = []
    for point in range(POINTS):
        char = chr(point)
        if not scalar(point) or 0x1F1E6 <= point <= 0x1F1FF or 0xAC00 <= point < 0xAC00 + 11172:
            name = ("any" if not scalar(point) else "regional" if point > 0x10000 else
                    "syllable_closed" if (point - 0xAC00) % 28 else "syllable")
        elif point < 0x80:
            name = "control" if point < 0x20 or point == 0x7F else "any"
        elif clusters("a" + char) == 1:
            if clusters(consonant + char + consonant + mark) == 4:
                name = "linker"
            elif char == "\u200d":
                name = "joiner"
            elif clusters(consonant + linker + char + consonant + mark) == 5:
                name = "conjunct"
            else:
                name = "extend" if clusters(sign + char + "\u200d" + sign + mark) == 5 else "spacing"
        elif clusters(char + mark + mark) == 2:
            name = "control"
        elif clusters(char + "a") == 1:
            name = "prepend"
        elif clusters(char + linker + consonant + mark) == 4:
            name = "consonant"
        elif clusters(char + "\u200d" + sign + mark) == 4:
            name = "pictograph"
        elif clusters(char + vowel + mark) == 3:
            name = "leading" if clusters(char + "\u1100" + mark) == 3 else "vowel"
        else:
            name = "trailing" if clusters(char + trailing + mark) == 3 else "any"
        names.append(GRAPHEMES.index(name))
    return names


def combining_class(char):
    """The oracle's class of a character. Assigned classes never change, so a newer Unicode serves, except that what
    the oracle does not know yet is a starter. Characters that decompose cannot be asked about, and decomposed text
    holds none."""
    value = unicodedata.combining(char)
    if nfd(char) != char:
        return value
    # Class 230 stays behind U+0301, class 1 behind U+0334: one of the two moves unless the character is a starter.
    sorts = nfd("a\u0301" + char) == "a" + char + "\u0301" or nfd("a" + char + "\u0334") == "a\u0334" + char
    assert value or not sorts, hex(ord(char))
    return value if sorts else 0


def class_bits(char, in_words, changes):
    between = "a" + char + "b"
    cleaned = clean(between)
    bits = SPACE * (split_space(between) == ["a", "b"])
    bits |= BERT_REMOVED * (cleaned == "ab") | BERT_SPACE * (cleaned == "a b")
    assert bits & (BERT_REMOVED | BERT_SPACE) or cleaned == between
    bits |= BERT_CHINESE * (chinese(between) == f"a {char} b")
    bits |= BERT_PUNCTUATION * (split_bert(between) == ["a", char, "b"])
    # Characters that decompose (such as U+0344) never reach the filter: no MARK.
    bits |= MARK * (nfd(char) == char and strip(between) == "ab")
    return bits | WORD * in_words | CHANGES * changes


def ask():
    """The answers for each point: class bits, combining class, decomposition, lower case, traits, script."""
    words = word_points()
    more = list(zip(traits(), scripts()))
    answers = []
    for point in range(POINTS):
        if not scalar(point):
            answers.append((0, 0, chr(point), chr(point), *more[point]))
            continue
        char = chr(point)
        combining, decomposed, lowered = combining_class(char), nfd(char), lower(char)
        assert 1 <= len(decomposed) <= 4 and 1 <= len(lowered) <= 3
        changes = combining != 0 or decomposed != char or lowered != char
        answers.append((class_bits(char, point in words, changes), combining, decomposed, lowered, *more[point]))
    return answers


def check_hangul(answers):
    """Syllables decompose by arithmetic: the tables leave them out."""
    for index in range(11172):
        letters = [0x1100 + index // 588, 0x1161 + index // 28 % 21] + [0x11A7 + index % 28] * (index % 28 > 0)
        assert answers[0xAC00 + index][2] == "".join(map(chr, letters))


def check_order(answers):
    """Random text through the oracle's NFD and through decomposition plus a stable sort of these classes."""
    generator = random.Random(9)
    marks = [point for point in range(POINTS) if unicodedata.combining(chr(point))]
    others = [point for point in range(POINTS) if scalar(point) and answers[point][2] != chr(point)]
    for _ in range(300000):
        text = "".join(chr(generator.choice(marks if generator.random() < 0.9 else others)) for _ in range(5))
        decomposed = "".join(answers[ord(char)][2] for char in text)
        runs = itertools.groupby(decomposed, lambda char: answers[ord(char)][1] == 0)
        ordered = [char for starters, run in runs for char in
                   (run if starters else sorted(run, key=lambda char: answers[ord(char)][1]))]
        assert nfd(text) == "".join(ordered), ascii(text)


def compositions(answers):
    """(first, second, composed) of each pair that NFC composes, sorted; Hangul is left out."""
    pairs = []
    for point, answer in enumerate(answers):
        decomposed = answer[2]
        if decomposed != chr(point) and nfc(decomposed) == chr(point) and not 0xAC00 <= point < 0xAC00 + 11172:
            first = nfc(decomposed[:-1])
            assert len(first) == 1
            pairs.append((ord(first), ord(decomposed[-1]), point))
    return sorted(pairs)


def forms(answers, pairs):
    """A bit for each form, NFC NFD NFKC NFKD: the point stays as it is and nothing before it sees it."""
    joined = {second for _, second, _ in pairs} | {*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)}
    values = []
    for point, (_, combining, decomposed, *_) in enumerate(answers):
        bits = 0
        if combining == 0 and scalar(point):
            char = chr(point)
            compatible = nfkd(char)
            bits |= (decomposed == char) << 1 | (compatible == char) << 3
            for bit, form, parts in ((0, nfc, decomposed), (2, nfkc, compatible)):
                starts = answers[ord(parts[0])][1] == 0 and ord(parts[0]) not in joined
                bits |= (starts and form(char) == char) << bit
        values.append(bits)
    return values


# ---- packing


def share(values, size):
    """The number of each block of size values, and the distinct blocks in a row, in order of first use."""
    numbers = {}
    starts = range(0, len(values), size)
    index = [numbers.setdefault(tuple(values[start:start + size]), len(numbers)) for start in starts]
    return index, [value for block in numbers for value in block]


def three_stages(values):
    blocks, values = share(values, 16)
    pages, blocks = share([block * 16 for block in blocks], 16)
    assert max(pages) < 1 << 8 and max(blocks) < 1 << 16
    return pages, blocks, values


def pack(answers, pairs, form_bits, breaks, compatible):
    """(type, name, length, values) of each array."""
    hangul = range(0xAC00, 0xAC00 + 11172)
    maps = {"decomposition": {}, "lower": {}}
    for point, (_, combining, decomposed, lowered, *_) in enumerate(answers):
        if decomposed != chr(point) and point not in hangul:
            maps["decomposition"][point] = decomposed
        if lowered != chr(point):
            maps["lower"][point] = lowered
        assert point < CHANGES_END or (combining == 0 and decomposed == lowered == chr(point))

    # Longest first, so that shorter strings are found inside longer ones. The first point makes offset 0 free.
    pool = "\0"
    for string in sorted({*maps["decomposition"].values(), *maps["lower"].values()}, key=lambda s: (-len(s), s)):
        if string not in pool:
            pool += string
    assert len(pool) < 1 << 14
    longer = sorted(set(compatible.values()), key=lambda s: (-len(s), s))
    for string in longer:
        if string not in pool:
            pool += string
    numbers = {string: number for number, string in enumerate(longer, 1)}

    def entries(strings):
        return [pool.index(strings[point]) << 2 | len(strings[point]) - 1 if point in strings else 0
                for point in range(CHANGES_END)]

    arrays = [("uint8_t", "trait_ascii", [answer[4] for answer in answers[:0x80]])]
    for name, kind, values in (
        ("class", "uint8_t", [answer[0] for answer in answers]),
        ("trait", "uint8_t", [answer[4] for answer in answers]),
        ("script", "uint8_t", [answer[5] for answer in answers]),
        ("combining", "uint8_t", [answer[1] for answer in answers[:CHANGES_END]]),
        ("decomposition", "uint16_t", entries(maps["decomposition"])),
        ("lower", "uint16_t", entries(maps["lower"])),
        ("compatibility", "uint16_t", [numbers.get(compatible.get(point), 0) for point in range(CHANGES_END)]),
        ("form", "uint8_t", form_bits),
        ("grapheme", "uint8_t", breaks),
    ):
        pages, blocks, distinct = three_stages(values)
        arrays.append(("uint8_t", f"{name}_pages", pages))
        arrays.append(("uint16_t", f"{name}_blocks", blocks))
        arrays.append((kind, f"{name}_values", distinct))
        assert name != "class" or distinct[:0x80] == values[:0x80]  # wl_unicode_class relies on it
    arrays.append(("uint32_t", "compatibility_strings", [0] + [pool.index(s) << 5 | len(s) for s in longer]))
    assert len(pairs) == 940  # as in unicode_tables.h
    arrays.append(("uint32_t", "pairs", [value for pair in pairs for value in pair]))
    return arrays + [("uint32_t", "pool", [ord(char) for char in pool])]


def compatible_strings(answers):
    """What NFKD makes of the points where it differs from NFD."""
    strings = {point: nfkd(chr(point)) for point in filter(scalar, range(POINTS))}
    return {point: string for point, string in strings.items() if string != answers[point][2]}


def write_tables(answers, pairs, form_bits, breaks, compatible):
    arrays = pack(answers, pairs, form_bits, breaks, compatible)
    sizes = {"uint8_t": 1, "uint16_t": 2, "uint32_t": 4}
    total = sum(sizes[kind] * len(values) for kind, _, values in arrays)
    with open("src/text/unicode/unicode_tables.c", "w") as out:
        out.write(f"/* Generated by tools/unicode_tables.py from tokenizers {VERSION}; {total} bytes of tables. */\n"
                  '#include "text/unicode/unicode.h"\n#include "text/unicode/unicode_tables.h"\n\n'
                  "/* clang-format off */\n"
                  f"_Static_assert(WL_UNICODE_CHANGES_END == {CHANGES_END:#x},\n"
                  '               "unicode_tables.h and tools/unicode_tables.py disagree");\n')
        for kind, name, values in arrays:
            out.write(f"\nconst {kind} wl_unicode_{name}[{len(values)}] = {{\n")
            line = "   "
            for value in values:
                if len(line) + len(str(value)) + 2 > 120:
                    out.write(line + "\n")
                    line = "   "
                line += f" {value},"
            out.write(line + "\n};\n")
    print(f"{total} bytes of tables")


# ---- golden digests


def fnv1a(chunks):
    digest = 0xCBF29CE484222325
    for chunk in chunks:
        for byte in chunk:
            digest = (digest ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return digest


def counted(string):
    return bytes([len(string)]) + string.encode("utf-32-le")


EDGES = bytes.fromhex("41 7f 80 8f 90 9f a0 bf c0 c1 c2 df e0 e1 ec ed ee ef f0 f1 f3 f4 f5 ff")


def repairs():
    """For each four bytes of EDGES: bytes of the well-formed prefix, number of replacements, the repaired text."""
    errors = []

    def replace(error):
        errors.append(error.start)
        return "\ufffd", error.end

    codecs.register_error("counted", replace)
    for sequence in itertools.product(EDGES, repeat=4):
        errors.clear()
        text = bytes(sequence).decode("utf-8", "counted")
        assert text == bytes(sequence).decode("utf-8", "replace")
        yield bytes([errors[0] if errors else 4, len(errors)]) + text.encode()


def write_golden(answers, _, form_bits, breaks, compatible):
    points = [point for point in range(POINTS) if scalar(point)]
    nfkd_strings = [compatible.get(point, answers[point][2]) for point in points]
    answers = [answers[point] for point in points]
    digests = {
        "class": (bytes([answer[0]]) for answer in answers),
        "traits": (bytes([answer[4]]) for answer in answers),
        "script": (bytes([answer[5]]) for answer in answers),
        "combining": (bytes([answer[1]]) for answer in answers),
        "decomposition": (counted(answer[2]) for answer in answers),
        "lower": (counted(answer[3]) for answer in answers),
        "compatibility": map(counted, nfkd_strings),
        "form": (bytes([form_bits[point]]) for point in points),
        "grapheme": (bytes([breaks[point]]) for point in points),
        "utf8": repairs(),
    }
    with open("tests/golden/unicode.txt", "w") as out:
        out.write(f"# By tools/unicode_tables.py: FNV-1a (64 bits) of the answers of tokenizers {VERSION} for all\n"
                  "# scalar values, and of Python's UTF-8 decoder for the ill-formed text of tests/test_unicode.c.\n")
        for name, chunks in digests.items():
            out.write(f"{name} {fnv1a(chunks):016x}\n")


def main():
    assert tokenizers.__version__ == VERSION, f"the oracle is tokenizers {VERSION}"
    answers = ask()
    check_hangul(answers)
    check_order(answers)
    pairs = compositions(answers)
    tables = answers, pairs, forms(answers, pairs), graphemes(), compatible_strings(answers)
    write_tables(*tables)
    write_golden(*tables)


if __name__ == "__main__":
    main()
