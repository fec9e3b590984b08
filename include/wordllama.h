/* WordLlama in C: text in, vectors out.
 *
 * A model is one matrix of token embeddings beside a tokenizer; the vector of a text is the mean of the rows of its
 * tokens. No neural network runs.
 *
 *     wl_error error;
 *     wl_model *model = wl_model_open(NULL, NULL, &error);
 *     wl_context *context = wl_context_create(NULL, &error);
 *     wl_text text = {"I went to the car", 17};
 *     float vector[256];
 *     wl_embed(model, context, &text, 1, NULL, vector, sizeof vector, &error);
 *     wl_context_free(context);
 *     wl_model_close(model);
 *
 * Rules that hold for every function:
 * - Texts are (pointer, length), UTF-8, not NUL-terminated by need; a NUL byte is a character like any other.
 * Ill-formed UTF-8 is replaced by U+FFFD, one per maximal subpart (Unicode 15, section 3.9), and counted in wl_counts.
 * - Paths are NUL-terminated UTF-8. Sizes are in bytes, counts in elements, unless a name says otherwise.
 * - Outputs are buffers of the caller; the library keeps no pointer to an argument after a call returns.
 * - wl_tokenizer and wl_model are immutable once open: any number of threads may use one. A wl_context belongs to one
 *   call at a time; use one context for each thread that calls.
 * - A function that can fail returns wl_status, or NULL for a pointer, and fills *error. A NULL error is allowed.
 *   Nothing is printed, nothing exits, no signal handler or locale is touched.
 * - An options argument may be NULL: all defaults. Otherwise its first member must be sizeof of the struct: that is how
 *   members are appended in later versions. A zeroed struct with that size set is the default; a size that is larger
 *   than the library's own is WL_ERROR_ARGUMENT.
 * - The same build, model and input give the same bits for any number of threads and any instruction set.
 */
#ifndef WORDLLAMA_H
#define WORDLLAMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WL_VERSION_MAJOR 0
#define WL_VERSION_MINOR 1
#define WL_VERSION_PATCH 0

#if defined(__GNUC__)
#define WL_API __attribute__((visibility("default")))
#else
#define WL_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- errors ------------------------------------------------------------------------------------------------------ */

typedef enum wl_status {
    WL_OK = 0,
    WL_ERROR_ARGUMENT,    /* an argument that can never be right: NULL, a zero size, an option out of range */
    WL_ERROR_MEMORY,      /* an allocation failed */
    WL_ERROR_IO,          /* the operating system refused to read or write; the message holds its reason */
    WL_ERROR_NOT_FOUND,   /* a file or name does not exist */
    WL_ERROR_FORMAT,      /* a file is damaged or not of the kind expected */
    WL_ERROR_UNSUPPORTED, /* a file is well formed but uses a part this version does not know */
    WL_ERROR_MISMATCH,    /* two files do not belong together: a tokenizer for another vocabulary */
    WL_ERROR_LIMIT,       /* a buffer is too small or an input too large */
    WL_ERROR_CANCELLED,   /* the progress callback asked to stop */
} wl_status;

#define WL_NO_POSITION UINT64_MAX

/* What went wrong and where. Plain data, nothing to free. Strings are NUL-terminated and cut at their array's end. */
typedef struct wl_error {
    wl_status code;
    uint64_t byte;     /* offset in file, from 0; WL_NO_POSITION where it has no meaning */
    uint64_t line;     /* line in file, from 1; 0 where it has no meaning */
    char file[1024];   /* empty where no file is concerned */
    char message[512]; /* what was found and what was expected, in English, without a final dot or line break */
} wl_error;

/* The code's name, such as "WL_ERROR_FORMAT"; "unknown" for another number. Static storage. */
WL_API const char *wl_status_name(wl_status code);

/* Writes "file:line: byte N: message", less what is not known of it, to buffer[0..size), always NUL-terminated when
 * size > 0. Returns the length that the whole text needs, without the NUL, as snprintf does. */
WL_API size_t wl_error_format(const wl_error *error, char *buffer, size_t size);

/* "0.1.0": of the library that runs, not of the header. Static storage. */
WL_API const char *wl_version(void);

/* The instruction set that the kernels were dispatched to: "generic", "avx2", "avx512", "avx512vnni" or "neon". The
 * environment variable WORDLLAMA_CPU with one of these names lowers it, read once, at the first use of a kernel; a set
 * that the processor lacks, or an unknown name, leaves the best that it has. Static storage. */
WL_API const char *wl_cpu_name(void);

/* ---- texts, spans, progress -------------------------------------------------------------------------------------- */

typedef struct wl_text {
    const char *data; /* may be NULL when size is 0 */
    size_t size;
} wl_text;

/* A half-open range [begin, end) of a text. */
typedef struct wl_span {
    uint32_t begin, end;
} wl_span;

typedef enum wl_toggle { WL_DEFAULT = 0, WL_ON = 1, WL_OFF = 2 } wl_toggle;

/* Called now and then, from the thread that made the call, with what is done so far. Returning false cancels: the call
 * ends with WL_ERROR_CANCELLED, its outputs in an unspecified state. */
typedef bool (*wl_progress)(void *user, uint64_t texts, uint64_t bytes);

/* ---- context: scratch memory and threads ------------------------------------------------------------------------- */

typedef struct wl_context wl_context;

typedef struct wl_context_options {
    size_t size;             /* sizeof(wl_context_options) */
    uint32_t threads;        /* 0: as many as the process may use; 1: the calling thread alone */
    uint32_t cache_megabyte; /* bound of the word cache of each thread; 0: 16 MB. It holds no more, ever. */
} wl_context_options;

/* Counters of everything that ran in a context since it was made. */
typedef struct wl_counts {
    uint64_t texts;     /* texts embedded or encoded */
    uint64_t tokens;    /* tokens that they gave */
    uint64_t replaced;  /* ill-formed UTF-8 subparts that became U+FFFD */
    uint64_t truncated; /* texts cut by a token or character limit */
} wl_counts;

/* Owner: the caller, who frees it with wl_context_free (NULL allowed). Memory a thread: the cache's bound and about
 * 48 bytes for each byte of the longest text. */
WL_API wl_context *wl_context_create(const wl_context_options *options, wl_error *error);
WL_API void wl_context_free(wl_context *context);
WL_API uint32_t wl_context_threads(const wl_context *context);
WL_API wl_counts wl_context_counts(const wl_context *context);

/* ---- tokenizer --------------------------------------------------------------------------------------------------- */

typedef struct wl_tokenizer wl_tokenizer;

/* Opens a Hugging Face tokenizer.json, or the tokenizer of a packed file (wl_model_pack). Ids are those of the
 * `tokenizers` library 0.23.3. A file that uses a part not yet known is refused with WL_ERROR_UNSUPPORTED and the
 * part's name; never a wrong id. */
WL_API wl_tokenizer *wl_tokenizer_open(const char *path, wl_error *error);
/* The same from memory; name stands for the file in errors (NULL: "tokenizer"). json may be freed afterwards. */
WL_API wl_tokenizer *wl_tokenizer_parse(const char *json, size_t size, const char *name, wl_error *error);
WL_API void wl_tokenizer_close(wl_tokenizer *tokenizer);

/* Writes a tokenizer in the packed form: a file whose tables are ready-made, which wl_tokenizer_open maps and checks
 * instead of reading it. Same ids. source: a tokenizer.json or a packed file. The file at path appears when it is
 * complete; the same source gives the same bytes. See wl_model_pack. */
WL_API wl_status wl_tokenizer_pack(const char *source, const char *path, wl_error *error);

/* "BPE", "WordPiece", "Unigram" or "WordLevel". Static storage. */
WL_API const char *wl_tokenizer_kind(const wl_tokenizer *tokenizer);
/* Number of different pieces, added tokens included or not. */
WL_API size_t wl_tokenizer_vocabulary(const wl_tokenizer *tokenizer, bool added_tokens);
/* The piece of an id, not NUL-terminated, valid until the tokenizer is closed; {NULL, 0} for an id without a piece. */
WL_API wl_text wl_tokenizer_piece(const wl_tokenizer *tokenizer, uint32_t id);
/* The id of a piece; false where there is none. */
WL_API bool wl_tokenizer_id(const wl_tokenizer *tokenizer, wl_text piece, uint32_t *id);

typedef enum wl_unit { WL_BYTES = 0, WL_CHARACTERS = 1 } wl_unit;

typedef struct wl_encode_options {
    size_t size;         /* sizeof(wl_encode_options) */
    bool special_tokens; /* add what the post-processor adds ([CLS] ... [SEP], <s> ...) */
    bool truncation;     /* apply the truncation that the file declares */
    bool padding;        /* apply the padding that the file declares, as for a batch of this one text */
    wl_unit unit;        /* of the spans */
    size_t max_tokens;   /* 0: no limit; otherwise keep the first max_tokens, special tokens included */
} wl_encode_options;

/* The ids of one text. ids[0..capacity), spans[0..capacity) or NULL: each token's range in the text; special and
 * padding tokens have the empty range at 0. Asking for spans takes the slower path and a text under 4 GiB. Spans of an
 * ill-formed text are ranges of the text after its repair.
 * *count: the number of tokens, also when it is over capacity: then WL_ERROR_LIMIT, and ids and spans hold the first
 * capacity of them. The empty text has no tokens of its own. */
WL_API wl_status wl_encode(const wl_tokenizer *tokenizer, wl_context *context, wl_text text,
                           const wl_encode_options *options, uint32_t *ids, wl_span *spans, size_t capacity,
                           size_t *count, wl_error *error);

/* The ids of many texts on the context's threads, one text behind the other: text i has ids[starts[i]..starts[i + 1]);
 * starts holds count + 1 entries. spans may be NULL. The padding that a file declares for the longest of a batch is
 * that of these texts. starts[count] is the number of tokens of all, also when it is over capacity: then
 * WL_ERROR_LIMIT, and ids and spans are unspecified. Otherwise as wl_encode. */
WL_API wl_status wl_encode_batch(const wl_tokenizer *tokenizer, wl_context *context, const wl_text *texts, size_t count,
                                 const wl_encode_options *options, uint32_t *ids, wl_span *spans, size_t capacity,
                                 size_t *starts, wl_error *error);

typedef struct wl_decode_options {
    size_t size;         /* sizeof(wl_decode_options) */
    bool special_tokens; /* keep special tokens in the text */
} wl_decode_options;

/* The text of ids, as the decoder that the file declares makes it (none: pieces joined by spaces), UTF-8 without NUL,
 * into out[0..capacity). Ids without a piece are passed over, as the oracle does.
 * *size: the bytes of the whole text, also when it is over capacity: then WL_ERROR_LIMIT. */
WL_API wl_status wl_decode(const wl_tokenizer *tokenizer, wl_context *context, const uint32_t *ids, size_t count,
                           const wl_decode_options *options, char *out, size_t capacity, size_t *size, wl_error *error);

/* ---- model ------------------------------------------------------------------------------------------------------- */

typedef struct wl_model wl_model;

/* How a model treats tokens. WORDLLAMA: no special tokens, no truncation, ids beyond the table clamped to its last row:
 * the package `wordllama` 0.4. MODEL2VEC: unknown tokens dropped, a text cut to max_length (512) times the vocabulary's
 * median piece length in characters, then to max_length tokens; vectors of an F16 table rounded to F16: the package
 * `model2vec` 0.10. AUTO: MODEL2VEC for a table named `embeddings` or one with `weights` or `mapping` or with a
 * config_sentence_transformers.json beside it, else WORDLLAMA. */
typedef enum wl_policy { WL_POLICY_AUTO = 0, WL_POLICY_WORDLLAMA, WL_POLICY_MODEL2VEC } wl_policy;

typedef struct wl_model_options {
    size_t size;           /* sizeof(wl_model_options) */
    const char *tokenizer; /* path of the tokenizer.json; NULL: found beside the weights */
    wl_policy policy;
    bool any_vocabulary; /* open even when table and tokenizer do not seem to belong together */
    bool whole_texts;    /* no text is cut: the model's max_length does not count */
} wl_model_options;

/* Where a model lies that comes with the library: name NULL for the default one, whose folder holds model.safetensors
 * and tokenizer.json, else NAME for the file NAME.safetensors in that folder ("wordllama_64_binary"). It is looked for
 * beside the code (the program or the shared library that this function is part of), in models/, ../models/ and
 * ../share/wordllama/models/, then where the library was installed. Written to buffer[0..size), NUL-terminated.
 * WL_ERROR_NOT_FOUND where it is not there, WL_ERROR_LIMIT where the buffer is too small. Any thread. */
WL_API wl_status wl_included_model(const char *name, char *buffer, size_t size, wl_error *error);

/* Opens a model: path NULL for the default one, which comes with the library. A path is that of a folder that holds
 * model.safetensors and tokenizer.json, or a .safetensors file with the tokenizer given or beside it, or a packed file
 * (wl_model_pack), which needs none. The table is mapped, never copied. Refuses a tokenizer whose vocabulary does not
 * fit the table. */
WL_API wl_model *wl_model_open(const char *path, const wl_model_options *options, wl_error *error);
WL_API void wl_model_close(wl_model *model);

/* Writes a model in the packed form: one safetensors file with the source's tensors, its config and its tokenizer's
 * tables ready-made, which wl_model_open and wl_tokenizer_open map and check instead of reading: same ids, same
 * vectors. source and options: as for wl_model_open; the policy that they come to is kept. The file at path appears
 * when it is complete; the same source gives the same bytes. A damaged packed file is refused with WL_ERROR_FORMAT
 * (the table itself is not part of the checksum), a newer one than the library knows with WL_ERROR_UNSUPPORTED. It is
 * for little-endian machines. */
WL_API wl_status wl_model_pack(const char *source, const wl_model_options *options, const char *path, wl_error *error);

typedef struct wl_model_info {
    size_t rows;           /* of the table */
    size_t dim;            /* columns */
    size_t vocabulary;     /* pieces of the tokenizer, added tokens included */
    size_t bytes;          /* of the weights file */
    const char *dtype;     /* of the table: "F16", "F32", "BF16", "F64", "I8"; static storage */
    wl_policy policy;      /* never AUTO */
    bool normalize;        /* the model's own default */
    bool weighted, mapped; /* has per-token weights; has a vocabulary mapping */
    size_t max_tokens;     /* 0: unlimited */
    size_t max_characters; /* 0: unlimited */
    bool packed;           /* one file of the packed form (wl_model_pack) */
} wl_model_info;

WL_API wl_model_info wl_model_describe(const wl_model *model);
/* Lives as long as the model. */
WL_API const wl_tokenizer *wl_model_tokenizer(const wl_model *model);

/* ---- embedding --------------------------------------------------------------------------------------------------- */

typedef struct wl_embed_options {
    size_t size;          /* sizeof(wl_embed_options) */
    wl_toggle normalize;  /* unit length; DEFAULT: what the model's config says, off for WordLlama */
    bool binary;          /* one bit a dimension (1 where value > 0), first dimension in the most significant bit */
    uint32_t dim;         /* keep the first dim dimensions (Matryoshka); 0: all. Cut before the unit norm is taken. */
    wl_progress progress; /* NULL: none */
    void *user;           /* handed to progress */
} wl_embed_options;

/* Bytes of one output row: 4 * dim (float), or (dim + 7) / 8 when binary, unused bits zero. 0 for options that do not
 * fit the model. */
WL_API size_t wl_embed_row_size(const wl_model *model, const wl_embed_options *options);

/* Vectors of count texts: out holds count rows of wl_embed_row_size bytes, F32 in the machine's byte order or packed
 * bits. Sums are taken in F32 (F64 where the per-token weights are F64), in token order, and divided once. A text
 * without tokens gives the zero row, with a norm asked for too. out must be aligned to 4 bytes. */
WL_API wl_status wl_embed(const wl_model *model, wl_context *context, const wl_text *texts, size_t count,
                          const wl_embed_options *options, void *out, size_t out_size, wl_error *error);

/* The same from token ids: text i has ids[starts[i]..starts[i + 1]); starts has count + 1 ascending entries. */
WL_API wl_status wl_embed_ids(const wl_model *model, wl_context *context, const uint32_t *ids, const size_t *starts,
                              size_t count, const wl_embed_options *options, void *out, size_t out_size,
                              wl_error *error);

/* One row a token instead of their mean: rows of wl_embed_row_size bytes for the text's tokens in order, each times its
 * weight where the model has weights. Rows get unit length only with normalize ON.
 * *rows: the number of tokens, also when it is over capacity (in rows): then WL_ERROR_LIMIT. */
WL_API wl_status wl_embed_tokens(const wl_model *model, wl_context *context, wl_text text,
                                 const wl_embed_options *options, void *out, size_t capacity, size_t *rows,
                                 wl_error *error);

/* Where a stream's texts come from. next returns 1 and sets *text, which must stay valid until the next call of next;
 * 0 at the end; -1 on failure with *error filled. */
typedef struct wl_source {
    int (*next)(void *user, wl_text *text, wl_error *error);
    void *user;
} wl_source;

/* Where they go: count texts in input order with their rows, valid during the call. Anything but WL_OK ends the stream
 * with that status. */
typedef struct wl_sink {
    wl_status (*write)(void *user, const wl_text *texts, const void *rows, size_t count, size_t row_size,
                       wl_error *error);
    void *user;
} wl_sink;

/* Embeds a stream of any length in memory that does not grow with it: batches of about 1 MB of text, or one longer
 * text, are read, embedded on the context's threads and written. source and sink are called from this thread. */
WL_API wl_status wl_embed_stream(const wl_model *model, wl_context *context, wl_source source, wl_sink sink,
                                 const wl_embed_options *options, wl_error *error);

/* ---- vectors ----------------------------------------------------------------------------------------------------- */

/* Cosine of two float vectors of dim elements, accumulated in F64; 0 when either is the zero vector. */
WL_API float wl_cosine(const float *a, const float *b, size_t dim);
/* Number of differing bits of two packed vectors of size bytes. */
WL_API uint64_t wl_hamming(const uint8_t *a, const uint8_t *b, size_t size);

/* What the elements of a vector are. Numbers are in the machine's byte order. BITS are signs: a
 * bit of 1 is +1, a bit of 0 is -1, packed as wl_embed_options.binary packs them, and the unused bits are 0. */
typedef enum wl_element {
    WL_ELEMENT_F32 = 0,
    WL_ELEMENT_F16,
    WL_ELEMENT_BF16,
    WL_ELEMENT_I8,
    WL_ELEMENT_BITS,
} wl_element;

/* Rows of one kind: what the toolkit compares. Plain data; the rows belong to the caller. Rows are fewer than 2^32 - 1
 * and have 1 to 2^32 - 1 dimensions (bits: to 2^30). */
typedef struct wl_vectors {
    const void
        *data; /* (count, dim), row-major, a row of wl_vector_size bytes, aligned to an element; NULL when count is 0 */
    size_t count;
    size_t dim; /* elements of a row */
    wl_element element;
} wl_vectors;

/* Bytes of a row; 0 for an unknown element. */
WL_API size_t wl_vector_size(wl_element element, size_t dim);

/* Dot product, squared Euclidean distance and cosine (0 where a vector is zero) of two vectors. Elements are widened to
 * F64, products are rounded to F64, and 16 interleaved sums are folded by halves: the same bits on every instruction
 * set, relative error below (dim / 16 + 8) * 2^-53 of the sum of the terms' magnitudes. BITS: dim - 2d, 4d and
 * 1 - 2d / dim where d bits differ. An unknown element gives NaN. */
WL_API double wl_vector_dot(wl_element element, const void *a, const void *b, size_t dim);
WL_API double wl_vector_squared_distance(wl_element element, const void *a, const void *b, size_t dim);
WL_API double wl_vector_cosine(wl_element element, const void *a, const void *b, size_t dim);

/* Rows to F32 rows of unit length, (count, dim); a zero row stays zero. BITS become +1 and -1 first. out may be the
 * rows themselves where they are F32. */
WL_API wl_status wl_vectors_normalize(const wl_vectors *vectors, float *out, wl_error *error);
/* Rows to BITS, 1 where the element is above 0, (count, (dim + 7) / 8) bytes. */
WL_API wl_status wl_vectors_binarize(const wl_vectors *vectors, uint8_t *out, wl_error *error);

/* ---- comparing --------------------------------------------------------------------------------------------------- */

/* COSINE: of the vectors; for BITS that of the signs, 1 - 2d / dim, as the package wordllama 0.4 has it.
 * HAMMING: for BITS only, 1 - d / dim, as the first WordLlama had it. */
typedef enum wl_measure { WL_COSINE = 0, WL_HAMMING } wl_measure;

/* A row and how similar it is. Every score in this part is the measure computed as wl_vector_cosine does it and then
 * rounded to F32, whatever faster arithmetic was used to leave other rows out: results do not depend on the instruction
 * set, the number of threads or the size of a batch. Rows that hold a NaN or an infinity are WL_ERROR_ARGUMENT. */
typedef struct wl_match {
    size_t index;
    float score;
} wl_match;

#define WL_NONE SIZE_MAX

/* out[i * b->count + j] = similarity of row i of a and row j of b: (a->count, b->count) floats. Both have one element
 * and one dim, else WL_ERROR_MISMATCH. Cost: dim multiplications a pair. */
WL_API wl_status wl_similarity(const wl_vectors *a, const wl_vectors *b, wl_measure measure, wl_context *context,
                               float *out, wl_error *error);
/* out[i] = similarity of row i of a and row i of b; both have count rows. */
WL_API wl_status wl_similarity_pairs(const wl_vectors *a, const wl_vectors *b, wl_measure measure, wl_context *context,
                                     float *out, wl_error *error);

/* The k rows most similar to each query, the best first, equal scores by position: out holds queries->count rows of
 * min(k, rows->count) matches. Exact. k = 0 is WL_ERROR_ARGUMENT. Never holds a matrix of scores: memory is
 * the queries, packed, the matches kept, k a query and thread, and for each thread 800 rows, packed. */
WL_API wl_status wl_top_k(const wl_vectors *queries, const wl_vectors *rows, size_t k, wl_measure measure,
                          wl_context *context, wl_match *out, wl_error *error);

/* Orders matches by score, the highest first, equal scores by index. */
WL_API void wl_sort_matches(wl_match *matches, size_t count);

/* ---- texts compared with a query --------------------------------------------------------------------------------- */

typedef struct wl_rank_options {
    size_t size;  /* sizeof(wl_rank_options) */
    uint32_t dim; /* as in wl_embed_options */
    bool binary;  /* compare signs */
    wl_measure measure;
    bool keep_order;  /* in the order of the texts; else the best first, equal scores by position */
    size_t top;       /* keep the best only; 0: all. More than there are is all. */
    bool above;       /* keep scores above threshold (strictly, both as F32) only */
    double threshold; /* NaN is WL_ERROR_ARGUMENT; used with above */
} wl_rank_options;

/* Scores of texts against a query: rank, and with the options topk and filter. out holds count matches; *kept of them
 * are filled. A text without tokens has the zero vector: it scores 0, or with binary as bits that are all 0. */
WL_API wl_status wl_rank(const wl_model *model, wl_context *context, wl_text query, const wl_text *texts, size_t count,
                         const wl_rank_options *options, wl_match *out, size_t *kept, wl_error *error);

/* A query's vector kept, to score one text at a time: as a key of sorting. Immutable; the model must outlive it. */
typedef struct wl_key wl_key;
WL_API wl_key *wl_key_create(const wl_model *model, wl_context *context, wl_text query, const wl_rank_options *options,
                             wl_error *error);
WL_API wl_status wl_key_score(const wl_key *key, wl_context *context, wl_text text, float *score, wl_error *error);
WL_API void wl_key_free(wl_key *key);

/* ---- deduplication ----------------------------------------------------------------------------------------------- */

typedef struct wl_deduplicate_options {
    size_t size; /* sizeof(wl_deduplicate_options) */
    wl_measure measure;
    bool has_threshold;   /* false: the threshold is 0.9 */
    double threshold;     /* a pair repeats when its similarity is above it (strictly, both as F32); not NaN */
    bool greedy;          /* row j goes only for an earlier row that stays; else for any earlier row */
    size_t held;          /* the first rows are those of another file: they are compared with, but never dropped */
    wl_progress progress; /* NULL: none; told rows done, and 0 */
    void *user;
} wl_deduplicate_options;

/* For each row, the first earlier row that it repeats: repeats[i].index and the similarity, or WL_NONE and 0 where the
 * row stays. repeats holds vectors->count matches. Exact over all pairs. *dropped: how many go (NULL allowed).
 * Cost: all pairs in the worst case, in 8-bit arithmetic over as few dimensions as the threshold allows. */
WL_API wl_status wl_deduplicate(const wl_vectors *vectors, const wl_deduplicate_options *options, wl_context *context,
                                wl_match *repeats, size_t *dropped, wl_error *error);

/* The same for texts that are equal byte for byte, score 1: linear time. options: held and no other. */
WL_API wl_status wl_deduplicate_exact(const wl_text *texts, size_t count, const wl_deduplicate_options *options,
                                      wl_match *repeats, size_t *dropped, wl_error *error);

/* ---- clustering -------------------------------------------------------------------------------------------------- */

typedef struct wl_cluster_options {
    size_t size;              /* sizeof(wl_cluster_options) */
    uint32_t clusters;        /* k; 0, or more than there are rows, is WL_ERROR_ARGUMENT */
    uint32_t starts;          /* n_init: seedings tried, the one of least inertia wins; 0: 10 */
    uint32_t most_iterations; /* 0: 300 */
    bool has_tolerance;       /* false: the tolerance is 1e-6 */
    double tolerance;         /* stop when inertia falls by less than this part of it */
    uint64_t seed;
    bool spherical; /* clusters by direction: rows are taken at unit length, centroids have it too (or are zero) */
    uint32_t batch; /* mini-batch k-means with this many rows a step; 0: all rows a step (Lloyd) */
    wl_progress progress; /* NULL: none; told iterations done, and 0 */
    void *user;
} wl_cluster_options;

typedef struct wl_clustering {
    double inertia;      /* sum of the squared distances of the rows to their centroids */
    uint32_t iterations; /* of the start that won and of what improved it */
    bool converged;      /* within the tolerance before most_iterations */
} wl_clustering;

/* k-means. labels: vectors->count; centroids: (clusters, dim) floats, NULL where not wanted; the labels are those of
 * the nearest centroids, ties to the lowest. Not for BITS. When a start has converged, single centroids are moved out
 * of local minima for as long as that lowers the inertia. Memory: the rows as bytes (or floats, without VNNI), 16 KB a
 * cluster for seeding, and a copy of the rows where they are not F32, must be made unit, or lie far from the origin. */
WL_API wl_status wl_cluster(const wl_vectors *vectors, const wl_cluster_options *options, wl_context *context,
                            uint32_t *labels, float *centroids, wl_clustering *result, wl_error *error);

/* The rows nearest to each centroid among those that have its label, the nearest first, as its description: out holds
 * clusters * most matches; the score is the cosine; WL_NONE where a cluster has fewer. */
WL_API wl_status wl_cluster_nearest(const wl_vectors *vectors, const uint32_t *labels, const float *centroids,
                                    uint32_t clusters, size_t most, wl_context *context, wl_match *out,
                                    wl_error *error);

/* ---- splitting --------------------------------------------------------------------------------------------------- */

typedef struct wl_split_options {
    size_t size; /* sizeof(wl_split_options) */
    bool spans;  /* chunks are ranges that follow each other and cover the whole text; nothing is lost or changed */
    bool tokens; /* sizes are in tokens of the model; else in characters (code points) */
    uint32_t target_size;       /* largest chunk that pieces are joined to; 0: 1536 */
    uint32_t intermediate_size; /* lines are joined up to it before they are compared; 0: 96 */
    uint32_t cleanup_size;      /* smaller pieces join the one before; 0: 24 */
    uint32_t window;            /* lines compared with each other, odd, at least 3; 0: 3 */
    uint32_t smoothing_window;  /* of the Savitzky-Golay filter, odd, at least 3; 0: 3 */
    uint32_t polynomial_order;  /* of the filter, below smoothing_window, at least 1; 0: 2 */
} wl_split_options;

typedef struct wl_chunk {
    size_t begin, end; /* the part of the text that it comes from, in bytes */
    wl_text text;      /* the chunk; without spans white space is normalized, so it may differ from that part */
} wl_chunk;

typedef struct wl_chunks wl_chunks;

/* Splits a text where its meaning changes: lines are joined and long ones split at sentences, the pieces compared in a
 * moving window, and cut at the minima of the smoothed similarity.
 * Without spans the chunks are those of the package wordllama 0.4, byte for byte. Like there, a chunk is larger than
 * target_size where a line holds no end of a sentence. Pieces without tokens count as unlike any other (the package
 * gets NaN and cuts nowhere); with polynomial_order 1, where the package fails, the slope alone makes a minimum.
 * With spans no chunk is larger than target_size: such lines are cut at white space, else between grapheme clusters.
 * Chunks are then the bytes of the text as they are; without spans ill-formed UTF-8 in them is repaired.
 * Tokens are those of each piece by itself; joined, their sum counts, and without spans 1 for what stands between. The
 * tokens of a chunk differ from that by a few where pieces meet, and mostly are fewer. A single character of more
 * tokens than target_size stays.
 * The result belongs to the caller, who frees it with wl_chunks_free (NULL allowed); it keeps no pointer into text.
 * target_size > intermediate_size > cleanup_size, else WL_ERROR_ARGUMENT. The empty text has no chunks. Linear time.
 * Memory: the text and about 160 bytes a line; the vectors of 1024 pieces; window * (window + dim) numbers. */
WL_API wl_chunks *wl_split(const wl_model *model, wl_context *context, wl_text text, const wl_split_options *options,
                           wl_error *error);
WL_API size_t wl_chunks_count(const wl_chunks *chunks);
/* Lives as long as chunks; zeroes for an index out of range. */
WL_API wl_chunk wl_chunks_at(const wl_chunks *chunks, size_t index);

/* What the cuts follow from, the package's return_minima: the mean similarity of each piece with those around it, and
 * the pieces before which it has a minimum. Those below the 0.4 quantile of all similarities became cuts. */
typedef struct wl_minima {
    float *similarity; /* of each piece */
    size_t pieces;
    size_t *places; /* indices of pieces, ascending */
    size_t count;   /* of places */
} wl_minima;

/* Lives as long as chunks; not to be written to. */
WL_API wl_minima wl_chunks_minima(const wl_chunks *chunks);
WL_API void wl_chunks_free(wl_chunks *chunks);

/* ---- explaining -------------------------------------------------------------------------------------------------- */

/* One token of a text and what it adds to the similarity: pooling is a mean, so the cosine of two texts is the sum of
 * the contributions of either one's tokens. */
typedef struct wl_contribution {
    uint32_t id;
    wl_span span; /* of the text, in bytes */
    float share;  /* sums to the cosine over the tokens of a text, but for the rounding of its vector to F16 */
} wl_contribution;

/* The tokens of text a and their shares in the cosine of a and b: out[0..capacity). *count: the number of tokens, also
 * when it is over capacity: then WL_ERROR_LIMIT. *score: the cosine. dim: as in wl_embed_options. */
WL_API wl_status wl_explain(const wl_model *model, wl_context *context, wl_text a, wl_text b, uint32_t dim,
                            wl_contribution *out, size_t capacity, size_t *count, float *score, wl_error *error);

#ifdef __cplusplus
}
#endif

#endif
