/* A tokenizer: the parts of a tokenizer.json put together.
 *
 *     text -> added tokens cut out -> normalizers -> normalized added tokens cut out -> pre-tokenizers -> model
 *
 * That is the general way, for any combination of parts and for spans. For the combinations that matter there is a
 * scanner besides, which gives the same ids straight from the raw text, word by word, through the word cache. */
#ifndef WL_TEXT_TOKENIZER_H
#define WL_TEXT_TOKENIZER_H

#include "format/safetensors.h"
#include "text/added.h"
#include "text/models/bpe.h"
#include "text/models/unigram.h"
#include "text/models/wordlevel.h"
#include "text/models/wordpiece.h"
#include "text/normalize/normalize.h"
#include "text/pretokenize/pretokenize.h"
#include "text/process/decode.h"
#include "text/scan/cuts.h"
#include "text/scan/word_cache.h"
#include "text/scan/word_starts.h"

typedef enum wl_model_kind { WL_MODEL_BPE, WL_MODEL_WORDPIECE, WL_MODEL_UNIGRAM, WL_MODEL_WORDLEVEL } wl_model_kind;

/* A piece of the post-processor's template: the text's own tokens, or special ids. */
typedef struct wl_template_piece {
    bool text;
    bool joined;   /* belongs together with the piece before for the post-processors behind */
    uint32_t *ids; /* owned */
    size_t count;
} wl_template_piece;

/* Takes the spaces that the tokens' pieces hold at either end from their ranges. */
typedef struct wl_trim {
    bool prefix;   /* a single space in front of the first token was added and has no range */
    bool in_front; /* the text's first token is the first of all, with special tokens too */
} wl_trim;

typedef struct wl_truncation {
    bool declared, left, only_second, only_first;
    size_t max_length;
} wl_truncation;

typedef struct wl_padding {
    bool declared, left, fixed;
    size_t length, multiple; /* length counts when fixed, else that of the longest text of the batch */
    uint32_t id;
} wl_padding;

/* What an added token decodes to: its content as the normalizers leave it, where they are run on it. */
typedef struct wl_shown_token {
    size_t begin, size; /* in shown_bytes */
    bool special;       /* that is a special token's content */
} wl_shown_token;

typedef enum wl_scanner {
    WL_SCAN_GENERAL, /* none: the general way */
    WL_SCAN_MARK,    /* Llama-2: words start at a space, which is a mark (scan_mark.c) */
    WL_SCAN_BYTES,   /* byte-level BPE: words by a known expression (scan_bytes.c) */
    WL_SCAN_BERT,    /* BERT: words end at white space and punctuation (scan_bert.c) */
    WL_SCAN_SPACES,  /* sentencepiece's Unigram and what else has words between white space (scan_spaces.c) */
} wl_scanner;

typedef struct wl_packed wl_packed; /* packed.h */

/* What takes a walk over all pieces or merges to find out: asked when it is needed, kept in a packed file. */
typedef struct wl_facts {
    uint32_t ids_differ, marks_lead, may_cut; /* 0: not asked yet, 1: no, 2: yes */
    uint32_t median;                          /* length of a piece in characters, plus 1; 0: not asked yet */
} wl_facts;

/* WL_SCAN_SPACES: what is proved of the normalizers and pre-tokenizers. */
typedef struct wl_space_rules {
    bool controls; /* tab, line feed and carriage return are like the space */
    bool beyond;   /* a word may begin and end with a character that is not ASCII */
    bool dropped;  /* white space is dropped; else a run of it is one space, which is a mark */
    bool marks;    /* nothing more is done to a word than to put U+2581 in front */
} wl_space_rules;

struct wl_tokenizer {
    char *name;        /* of the file, for errors */
    uint64_t identity; /* differs from that of any other file, for the word cache */
    wl_model_kind kind;
    wl_vocabulary vocabulary;
    wl_bpe bpe; /* the one that kind says */
    wl_wordpiece wordpiece;
    wl_unigram unigram;
    wl_wordlevel wordlevel;
    wl_normalizer *normalizers;
    size_t normalizer_count;
    wl_pretokenizer *pretokenizers;
    size_t pretokenizer_count;
    wl_added_tokens added;
    wl_shown_token *shown; /* by the index of the added token; NULL without any */
    wl_buffer shown_bytes;
    wl_template_piece *template; /* for one text; count 0: the text alone */
    size_t template_count;
    size_t special_count; /* special tokens, as truncation leaves room for them */
    wl_trim *trims;
    size_t trim_count;
    wl_decoder *decoders;
    size_t decoder_count;
    bool decodes; /* a decoder is declared, if only an empty Sequence: without one, pieces are joined by spaces */
    wl_truncation truncation;
    wl_padding padding;
    size_t model_size; /* pieces, as the model counts them: of Unigram's list twice what stands in it twice */
    size_t added_only; /* added tokens that the model's vocabulary does not hold */
    wl_scanner scanner;
    bool aligned;                /* the general way needs places even when no spans are asked for */
    uint8_t scan_class[256];     /* what a byte is to the scanner */
    const wl_words_rules *words; /* WL_SCAN_BYTES: of the expression, which belongs to a pre-tokenizer */
    wl_start_rules start_rules;
    bool in_blocks;    /* start_rules may be used */
    bool prefix_space; /* WL_SCAN_BYTES: a space in front of what has none */
    wl_space_rules spaces;
    wl_text mark;   /* the general way with BPE: words may begin at this character, as cuts has it; empty: unknown */
    wl_cuts *cuts;  /* NULL: a word may not be cut */
    bool cuts_lent; /* they belong to somebody else */
    wl_facts facts;
    wl_packed *packed;    /* while a packed file is being read: where the large parts are; else NULL */
    wl_safetensors *file; /* the packed file, owned; NULL where a model owns it, or there is none */
};

/* An added token that was found with spaces at its ends, which belong to it. */
typedef struct wl_spaced_token {
    size_t index; /* in the tokens */
    size_t leading, trailing;
} wl_spaced_token;

/* Reused from text to text by one thread; zero-initialized is empty. */
typedef struct wl_text_scratch {
    wl_word_cache cache;
    size_t cache_bytes;
    wl_buffer repaired, raw_word;
    wl_string source, segment, rest, word;
    wl_segments segments, normalized_segments;
    wl_pieces pieces;
    wl_normalize_scratch normalize;
    wl_pretokenize_scratch pretokenize;
    wl_bpe_scratch bpe;
    wl_unigram_scratch unigram;
    wl_tokens tokens;
    wl_spaced_token *spaced; /* ascending; only where the ranges are to be trimmed */
    size_t spaced_count, spaced_capacity;
    wl_decode_scratch decode;
    uint64_t replaced; /* ill-formed subparts so far */
    bool torn;         /* WL_SCAN_SPACES: a word was met that its neighbours bear on */
} wl_text_scratch;

void wl_text_scratch_free(wl_text_scratch *scratch);

/* The text's own tokens into scratch->tokens (cleared first), without special tokens, truncation or padding. */
wl_status wl_tokenize(const wl_tokenizer *tokenizer, wl_text text, bool spans, wl_text_scratch *scratch,
                      wl_error *error);

/* Normalizers, pre-tokenizers and model over one segment without added tokens: appended to scratch->tokens. cached:
 * through the word cache, which a scanner that keeps the result itself has no use for. */
wl_status wl_tokenize_segment(const wl_tokenizer *tokenizer, wl_string *segment, bool cached, wl_text_scratch *scratch,
                              wl_error *error);
/* Pre-tokenizers and model over normalized text without added tokens, likewise. */
wl_status wl_tokenize_string(const wl_tokenizer *tokenizer, wl_string *string, bool cached, wl_text_scratch *scratch,
                             wl_error *error);
/* The model over one piece of a string: appended to scratch->tokens. part: it is a part of a piece, cut where no merge
 * reaches over. */
wl_status wl_model_encode(const wl_tokenizer *tokenizer, const char *text, size_t size, bool part,
                          wl_text_scratch *scratch, wl_error *error);

/* The scanners: the ids of well-formed text between added tokens, raw (for WL_SCAN_BYTES: normalized), appended to
 * scratch->tokens. */
wl_status wl_scan_mark(const wl_tokenizer *tokenizer, const char *text, size_t size, wl_text_scratch *scratch,
                       wl_error *error);
wl_status wl_scan_bytes(const wl_tokenizer *tokenizer, const char *text, size_t size, wl_text_scratch *scratch,
                        wl_error *error);
wl_status wl_scan_bert(const wl_tokenizer *tokenizer, const char *text, size_t size, wl_text_scratch *scratch,
                       wl_error *error);
wl_status wl_scan_spaces(const wl_tokenizer *tokenizer, const char *text, size_t size, wl_text_scratch *scratch,
                         wl_error *error);
/* Chooses the scanner and fills its tables; called once the parts are complete. */
wl_status wl_scanner_choose(wl_tokenizer *tokenizer, wl_error *error);

/* Trims the ranges of tokens [begin, end) that wl_tokenize made, as the post-processors have it. special: special
 * tokens are added. (trim.c) */
void wl_trim_spans(const wl_tokenizer *tokenizer, size_t begin, size_t end, bool special, wl_text_scratch *scratch);
/* Number of characters at the start, or the end, of a token's text that trimming counts as spaces. */
size_t wl_leading_spaces(wl_text text);
size_t wl_trailing_spaces(wl_text text);

/* The median length of a piece, added tokens included, in characters. */
wl_status wl_tokenizer_median(const wl_tokenizer *tokenizer, size_t *median, wl_error *error);
/* The highest id of a piece or an added token, and 1. */
size_t wl_tokenizer_ids(const wl_tokenizer *tokenizer);
/* The id that stands for unknown text, WL_NO_ID where there is none. */
uint32_t wl_tokenizer_unknown(const wl_tokenizer *tokenizer);

/* Reads the parts. (tokenizer_json.c) */
wl_status wl_tokenizer_read(wl_tokenizer *tokenizer, const char *text, size_t size, wl_error *error);

#endif
