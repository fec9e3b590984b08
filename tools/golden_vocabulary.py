#!/usr/bin/env python3
"""tests/golden/vocabulary.txt: pieces that the trainer of `tokenizers` 0.23.3 learns from demo/texts.txt.

    python3 tools/golden_vocabulary.py   (in an environment with tokenizers==0.23.3)

Of pairs that are equally frequent it takes one by chance: here are those that each of many runs learned.
"""

from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

ROOT = Path(__file__).resolve().parents[1]
SIZE, LEAST, RUNS = 4000, 4, 50


def learn(lines: list[str]) -> set[str]:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=SIZE, special_tokens=["[PAD]", "[UNK]"], show_progress=False, min_frequency=LEAST
    )
    tokenizer.train_from_iterator([" ".join(line.split()) for line in lines], trainer)
    return set(tokenizer.get_vocab())


def main() -> None:
    lines = (ROOT / "demo" / "texts.txt").read_text(encoding="utf-8").splitlines()
    pieces = set.intersection(*(learn(lines) for _ in range(RUNS)))
    (ROOT / "tests" / "golden" / "vocabulary.txt").write_text("\n".join(sorted(pieces)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
