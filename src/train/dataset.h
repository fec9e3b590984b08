/* Batches of token ids out of prepared files (wl_prepare), which are mapped: nothing of the texts is in memory but what
 * a batch holds; a shuffled order is computed (a permutation by a Feistel network), not stored. */
#ifndef WL_TRAIN_DATASET_H
#define WL_TRAIN_DATASET_H

#include "base/file.h"
#include "data/digests.h"

typedef enum wl_sampling { WL_SAMPLE_PROPORTIONAL, WL_SAMPLE_ROUND_ROBIN } wl_sampling;

/* One prepared file. */
typedef struct wl_dataset_source {
    const char *path;
    double weight; /* PROPORTIONAL: passes over it in an epoch; ROUND_ROBIN: its batches for one of a source of weight
                    * 1; 0 counts as 1; at most 1000 */
} wl_dataset_source;

typedef struct wl_dataset_options {
    wl_sampling sampling;
    size_t batch;         /* records, at least 2 */
    uint32_t most_tokens; /* of a text: the first ones; 0: all */
    bool unique_texts; /* no two records of a batch have a text in common (anchors, positives and negatives): a record
                        * that would repeat one waits for a later batch */
    uint64_t seed;
    size_t rows; /* of the table: ids from there on become its last row, as a model has it; 0: there are none such */
} wl_dataset_options;

typedef struct wl_dataset wl_dataset;

/* A batch: all records have equally many sides, the fewest of any in it.
 * Texts are grouped by side: texts [s * records, (s + 1) * records) are side s of each record. */
typedef struct wl_train_batch {
    size_t source; /* number of the file it comes from */
    size_t records, sides;
    const uint32_t *ids;     /* of all texts */
    const uint64_t *starts;  /* (records * sides + 1) */
    const uint64_t *texts;   /* (records * sides): hash of each text's tokens, as far as they are in the batch */
    const float *scores;     /* (records), NaN where one has none; NULL: the source has none */
    const uint64_t *numbers; /* (records): of the records in the source */
    const uint64_t *rows;    /* (records * sides): of the texts in the source: where their targets lie */
} wl_train_batch;

/* Opens and checks all files in one pass over each: a batch needs no checks. WL_ERROR_MISMATCH: prepared with another
 * tokenizer. WL_ERROR_FORMAT: not a prepared file, or damaged; fewer records than a batch needs (2). WL_ERROR_ARGUMENT:
 * no source, a weight or a batch out of range. NULL on failure. Memory: a batch, and 16 bytes for a record that
 * waits. */
wl_dataset *wl_dataset_open(const wl_dataset_source *sources, size_t count, const wl_tokenizer *tokenizer,
                            const wl_dataset_options *options, wl_error *error);
void wl_dataset_close(wl_dataset *dataset);

/* What a source has: a loss that needs more sides, or scores, can be refused before the first batch. */
typedef struct wl_dataset_info {
    uint64_t records, texts;
    uint64_t fewest_sides, most_sides; /* of a record */
    uint64_t scored;                   /* records with a score */
    uint64_t batches;                  /* in an epoch */
    wl_text_digest digest;             /* of the whole file */
} wl_dataset_info;

wl_dataset_info wl_dataset_describe(const wl_dataset *dataset, size_t source);
/* Of all sources. */
uint64_t wl_dataset_records(const wl_dataset *dataset);
/* Batches of an epoch. A pass over a source gives its records by full batches, and leaves out what remains; one of
 * fewer records than a batch is a batch of its own. PROPORTIONAL: all batches of a pass over each source, times its
 * weight; ROUND_ROBIN: sources take turns until the first has given all. Where, with unique texts, a pass gave fewer
 * batches, the epoch goes on with another one. */
uint64_t wl_dataset_batches(const wl_dataset *dataset);
/* The next batch, through all epochs; each epoch has an order of its own. *epoch: its number, from 0. The batch is
 * valid until the next call. WL_ERROR_FORMAT: unique texts, but no two records of the source go together. After a
 * failure only wl_dataset_seek and wl_dataset_close may follow. */
wl_status wl_dataset_next(wl_dataset *dataset, wl_train_batch *batch, uint64_t *epoch, wl_error *error);
/* As if so many batches had been taken since the opening: the batches that follow are the same. Costs at most an
 * epoch's reading with unique texts, else nearly nothing. */
wl_status wl_dataset_seek(wl_dataset *dataset, uint64_t batches, wl_error *error);

#endif
