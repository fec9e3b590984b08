/* The tokenizer that a GGUF carries, as a tokenizer.json. */
#ifndef WL_EXTRACT_GGUF_TOKENIZER_H
#define WL_EXTRACT_GGUF_TOKENIZER_H

#include "extract/gguf.h"

/* Whether the file has a tokenizer of any kind. */
bool wl_gguf_has_tokenizer(const wl_gguf *gguf);

/* Appends it to *json, in a form that this library and the Python package tokenizers read: the key
 * tokenizer.huggingface.json where it is there, else what the keys tokenizer.ggml.* say, which are byte-level BPE
 * ("gpt2"), BPE of SentencePiece ("llama", "gemma4"), Unigram ("t5") or WordPiece ("bert"). Its ids are 0 to the number
 * of pieces less 1. What is appended was read once by wl_tokenizer_parse.
 *
 * A kind, or a way to cut text (tokenizer.ggml.pre), that is not known is WL_ERROR_UNSUPPORTED: no tokenizer is better
 * than a wrong one. What is appended after a failure is of no use. Cost: memory for the vocabulary and the text. */
wl_status wl_gguf_tokenizer(const wl_gguf *gguf, wl_buffer *json, wl_error *error);

#endif
