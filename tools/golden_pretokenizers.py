#!/usr/bin/env python3
"""Writes tests/golden/parts/pretokenizers*.jsonl: where every pre-tokenizer and every known expression cuts, and the
pre-tokenizers of real models as their tokenizer.json has them."""

import random

from golden_parts import bytes_model, line, tokenizer_json, words_model, write

# ---- the expressions of the words scanner ----

ANY_CASE = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
UPPER = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}"
LOWER = r"\p{Ll}\p{Lm}\p{Lo}\p{M}"
PREFIX = r"[^\r\n\p{L}\p{N}]?"
END = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
HAN = r"&&[^\p{Han}]"


def cased(suffix, han=""):
    return f"{PREFIX}[{UPPER}{han}]*[{LOWER}{han}]+{suffix}|{PREFIX}[{UPPER}{han}]+[{LOWER}{han}]*{suffix}"


GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = ANY_CASE + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*" + END
QWEN2 = LLAMA3.replace("{1,3}", "")
QWEN35 = ANY_CASE + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*" + END
O200K = cased(ANY_CASE + "?") + r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*" + END
TEKKEN = cased("") + r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*" + END
KIMI = r"[\p{Han}]+|" + cased(ANY_CASE + "?", HAN) + r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*" + END
DEEPSEEK3 = (
    r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"""
    r"""| ?[\p{P}\p{S}]+[\r\n]*""" + END
)
CLIP = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
CL100K = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)

WORDS = [
    GPT2,
    LLAMA3,
    QWEN2,
    QWEN35,
    O200K,
    TEKKEN,
    KIMI,
    DEEPSEEK3,
    DEEPSEEK3.replace(r"\r", "\r").replace(r"\n", "\n"),
    CLIP,
    CL100K,
    CL100K.replace(r"\p{L}++", r"\p{L}+").replace("]*+", "]*").replace("{1,3}+", "{1,3}"),
    r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s",
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+",
    LLAMA3.replace(ANY_CASE, "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])").replace("{1,3}", "{1,2}"),
    ANY_CASE + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+" + END,
    r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*" + END,
]

# ---- the others ----

RUNS = [
    r"\s+",
    r"\s",
    r"\S+",
    r"[^\s]+",
    r" ?[^\s]+",
    " {2,}",
    " +",
    " ",
    "\\n",
    "\n",
    r"[\r\n]",
    "[\r\n]",
    r"[^\n]+|[\n]+",
    r"\s+$",
    r".",
    r".+",
    r"\p{N}",
    r"\p{N}+",
    r"\p{N}{1,3}",
    r"\p{Nd}",
    r"\d",
    r"\d+",
    r"\d{3}",
    r"[0-9]",
    r"[0-9]+",
    "[0-9][0-9][0-9]",
    r"\w+",
    r"\W",
    r"\w+|[^\w\s]+",
    r"[\w]+|[^\w\s]+|\s+",
    r"\p{P}",
    r"\p{P}+",
    r"\p{S}",
    r"[\p{P}\p{S}]",
    r"[\p{P}\$\+<=>\^~\|`]+",
    r"[\p{P}!-/:-@\[-`{-~]",
    r"\p{Punct}",
    r"[[:punct:]]+",
    r"\p{Han}",
    r"[\p{L}\p{M}]+",
    r"\P{L}+",
    r"[^\p{L}\D]+",
    r"[\S\n]+",
    r"\p{Z}+|\p{C}",
    r"\s?\p{L}+",
    r"\s?\p{P}+",
    r" ?[^(\s|[.,!?…。，、।۔،])]+",
    r" ?[^(\s|.,!?…。，、।۔،)]+",
    "[一-龥ࠀ-一가-퟿]+",
    "[一-龥぀-ゟ゠-ヿ]+",
    r"\s?[!-/:-~！-／：-～‘-‟　-。]+",
    r"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽḀ-ἕℂℇℊ-ℓ𐐀-𐑏𞤀-𞥃]+",
    r"([\t\n]|    |  )",
    r"[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+",
    "ab|a",
    "-?[0-9]+",
    r"a?a{2}|\s{2,3}",
    r"\d{1,3}(?=(?:\d{3})*\b)",
    r"(?=(\d{3})+(?!\d))",
]

# What only PCRE2 runs: in a file of its own.
PERL = [
    r"(?i)ab|c",
    r"(?<=\d)(?=\D)",
    r"^\s+|\s+$",
    r"\bthe\b|\B'\B",
    r"(?m:.)b",
    r"(?:\r\n|[^\S\r\n]|\h{2})+",
    r"(?i:k|s)\W*\v?",
    r"\p{Latin}+|\p{Greek}+|\p{^Han}",
    r"(?<=.)",
    r"x*",
    r"\u0041|\x{1F600}|é+?",
    r"[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+",
]

BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]


def split(expression, behavior="Isolated", invert=False, string=False):
    pattern = {"String" if string else "Regex": expression}
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}


def byte_level(prefix=False, trim=True, **more):
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": trim, **more}


def sequence(*parts):
    return {"type": "Sequence", "pretokenizers": list(parts)}


METASPACE = {"type": "Metaspace", "replacement": "\u2581"}

KINDS = [
    *(split(r"[,.] ?", behavior, invert) for behavior in BEHAVIORS for invert in (False, True)),
    *(split(", ", behavior, string=True) for behavior in BEHAVIORS),
    split("", string=True),
    split("", "MergedWithPrevious", string=True),
    *(split(r"(?=(\d{3})+(?!\d))", behavior) for behavior in BEHAVIORS),
    *({"type": "Punctuation", "behavior": behavior} for behavior in BEHAVIORS),
    {"type": "Punctuation"},
    {"type": "Digits", "individual_digits": True},
    {"type": "Digits", "individual_digits": False},
    {"type": "Whitespace"},
    {"type": "WhitespaceSplit"},
    {"type": "BertPreTokenizer"},
    {"type": "CharDelimiterSplit", "delimiter": "a"},
    {"type": "CharDelimiterSplit", "delimiter": "\u3000"},
    {"type": "FixedLength"},
    {"type": "FixedLength", "length": 3},
    {"type": "UnicodeScripts"},
    METASPACE,
    {**METASPACE, "str_rep": "\u2581", "add_prefix_space": True},
    {**METASPACE, "prepend_scheme": "never", "add_prefix_space": False},
    {**METASPACE, "prepend_scheme": "first", "split": False},
    {**METASPACE, "prepend_scheme": "first"},
    byte_level(),
    byte_level(True, False),
    byte_level(use_regex=False),
    byte_level(True, use_regex=False),
    sequence(),
    sequence(sequence({"type": "WhitespaceSplit"}), METASPACE),
    sequence({"type": "Whitespace"}, byte_level(True)),
    sequence({"type": "Digits", "individual_digits": True}, byte_level(True)),
    sequence(byte_level(use_regex=False), {"type": "Punctuation"}),
    sequence({"type": "WhitespaceSplit"}, {**METASPACE, "prepend_scheme": "first"}),
]

DIGITS = {"type": "Digits", "individual_digits": True}
BYTES = byte_level(use_regex=False)
MODELS = {
    "gpt-2": byte_level(),
    "roberta": byte_level(True),
    "starcoder, smollm, command-r": sequence(DIGITS, byte_level()),
    "llama-3": sequence(split(LLAMA3), BYTES),
    "qwen2": sequence(split(QWEN2), BYTES),
    "qwen3.5": sequence(split(QWEN35), BYTES),
    "gpt-oss, llama-4": sequence(split(O200K), BYTES),
    "o200k, inverted": sequence(split(O200K, "Removed", True), BYTES),
    "tekken": sequence(split(TEKKEN), BYTES),
    "kimi-k2": sequence(split(KIMI), BYTES),
    "cl100k": sequence(split(CL100K, "Removed", True), BYTES),
    "deepseek-v3": sequence(
        split(r"\p{N}{1,3}"), split("[一-龥぀-ゟ゠-ヿ]+"), split(DEEPSEEK3), BYTES
    ),
    "deepseek-coder": sequence(
        split("[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"), split("[一-龥ࠀ-一가-퟿]+"), DIGITS, BYTES
    ),
    "deepseek-llm": sequence(
        split("[\r\n]"), split(RUNS[RUNS.index("[一-龥぀-ゟ゠-ヿ]+") + 2]), split(r"\s?[!-/:-~！-／：-～‘-‟　-。]+"),
        split(r"\s+$"), split("[一-龥ࠀ-一가-퟿]+"), DIGITS, BYTES,
    ),
    "falcon": sequence(
        {"type": "Punctuation", "behavior": "Contiguous"}, byte_level(), {"type": "Digits",
    "individual_digits": False},
        split("[0-9][0-9][0-9]"),
    ),
    "bloom": sequence(split(r" ?[^(\s|[.,!?…。，、।۔،])]+"), BYTES),
    "viking": sequence(split(r" ?[^(\s|[.,!?…。，、।۔،])]+"), DIGITS, BYTES),
    "clip": sequence(split(CLIP, "Removed", True), byte_level()),
    "chameleon": sequence(split(r"([\t\n]|    |  )"), DIGITS, {"type": "Punctuation"}, byte_level()),
    "tiny aya": sequence(split(r"\d{1,3}(?=(?:\d{3})*\b)"), split(O200K), BYTES),
    "superbpe": sequence(split(r"\p{N}+"), split(r"(?=(\d{3})+(?!\d))"), BYTES),
    "gemma": split(" ", "MergedWithPrevious", string=True),
    "bert": {"type": "BertPreTokenizer"},
    "t5": sequence({"type": "WhitespaceSplit"}, {**METASPACE, "add_prefix_space": True}),
    "xlm-r": {**METASPACE, "prepend_scheme": "always", "split": True},
}

# ---- texts ----

ATOMS = [
    *"aAbzZsStTdDmM", "re", "VE", "ll", "Re", "lL", "'s", "'S", "'t", "'re", "'VE", "'ll", "'LL", "'d",
    "'\u017f", "\u2019s", "'",
    " ", " ", "  ", "   ", "\n", "\r", "\r\n", "\n\n", "\t", "\v", "\f", "\u0085", "\u00a0", "\u2028",
    "\u3000", "\u180e", "\u200b",
    *"0123456789", "12", "123", "4567", "\u0663", "\u0be7", "\uff11", "\u00bd", "\u2167", "\u3007", "\U0001d7d8",
    "\U00010d40", "\U00011f50", "\U0001ccf0", "\u00b2",
    *".,!?-_/:;()[]{}<>=+*&^%$#@~`|\\\"", "...", "//", "…", "。", "，", "、", "！", "।", "،", "‘", "”", "—", "€",
    "©", "´", "^",
    "é", "É", "e\u0301", "ß", "ſ", "\u212a", "ǅ", "ʰ", "ª", "ñ", "Ω", "ж", "Я", "א", "\u05b0", "ب", "\u064b",
    "क", "\u0940", "\u094d", "ก", "\u0e31", "\u0345",
    "中", "文", "龥", "鿿", "㐀", "\U00020000", "\U00031350", "\U0002ebf0", "々", "〆", "⺀", "\U00016ff0", "の", "カ",
    "ー", "･", "한", "국", "ᄀ", "ㄱ", "ㄅ",
    "\u0301", "\u20dd", "\ufe0f", "\u200d", "\U0001f468", "\U0001f3fd", "\u1c89", "\ua7cb", "\U00010d4a",
    "\U0001e4d0", "\U00016d40", "\U00011f04", "\u24b6",
    "\u00ad", "\ue000", "\u0378", "\U0010ffff", "\x00", "\x7f", "\ufffd", "\u2581", "\u0130", "\u1e9e",
]

FIXED = [
    "", " ", "   ", "\n", "Hello World", "I'm sure they'll say it's we'VE\u017f he'\u017f IT'S",
    "1234567 12 1,234.5678 x123y 1234_",
    "a  b   \n\n  c\r\n\td  ", "fooBAR FooBarBAZ ÀB\u0301c 中文ABC", "def f(x):\n    return x // 2  # ok\n\n\n",
    "\u0301abc \u0301\u0301 A\u0301B", "你好，世界。 hello 日本語カタカナー 한국어", "  \n  ", " \u00a0\u3000x\u0085y",
    "a, b., c,, d", "\u0bae\u0bcd1\u0be7\u0be8\u0be9\u0bea", "\U0001f468\u200d\U0001f469 \U0001f3fd!",
    "www.x.org/a?b=c&d=e", "\u2581a \u2581\u2581b",
]


NEW = "\U00010d40\U00011f50\U0001ccf0\U00031350\U0002ebf0\u1c89\ua7cb\U00010d4a\U0001e4d0\U00016d40\U00011f04"
OLD_ATOMS = [atom for atom in ATOMS if atom not in NEW]


def texts(count, seed, atoms=ATOMS):
    chance = random.Random(seed)
    return ["".join(chance.choices(atoms, k=chance.randint(2, 14))) for _ in range(count)]


def main():
    words = [line(tokenizer_json(words_model(), pre_tokenizer=split(expression)), FIXED + texts(60, seed))
             for seed, expression in enumerate(WORDS)]
    write("pretokenizers_words", words)
    runs = [line(tokenizer_json(words_model(), pre_tokenizer=split(expression)), FIXED + texts(12, seed))
            for seed, expression in enumerate(RUNS)]
    write("pretokenizers_runs", runs)
    kinds = [line(tokenizer_json(words_model(), pre_tokenizer=part), FIXED + texts(15, seed))
             for seed, part in enumerate(KINDS)]
    write("pretokenizers_kinds", kinds)
    models = [line(tokenizer_json(bytes_model() if seed % 2 else words_model(), pre_tokenizer=part),
                   FIXED + texts(12, seed)) for seed, part in enumerate(MODELS.values())]
    write("pretokenizers_models", models)
    # PCRE2 knows the characters of its own version of Unicode.
    perl = [line(tokenizer_json(words_model(), pre_tokenizer=split(expression)), FIXED + texts(40, seed, OLD_ATOMS))
            for seed, expression in enumerate(PERL)]
    write("../pretokenizers_perl", perl)


if __name__ == "__main__":
    main()
