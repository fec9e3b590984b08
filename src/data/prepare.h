/* The parts of wl_prepare, in their order:
 *   read    records of the files to sides, with single spaces (prepare_read.c), or each sentence of a side to a record
 *           of its own (prepare_sentences.c)
 *   check   a batch of them is tokenized, and what is to go gets its reason (prepare_check.c); what stays is written to
 *           the spills in PATH.part
 *   state   where that is, now and then, so that a later call goes on (prepare_state.c)
 *   write   once all is read: repeats are found among what stayed (repeats.c), and the spills become the result
 *           (prepare_write.c) */
#ifndef WL_DATA_PREPARE_H
#define WL_DATA_PREPARE_H

#include "data/held_out.h"
#include "data/records.h"
#include "data/spill.h"
#include "format/json_write.h"

/* ---- sides ------------------------------------------------------------------------------------------------------- */

/* Texts one behind the other: text i ends at ends[i]. */
typedef struct wl_sides {
    wl_buffer bytes;
    size_t *ends;
    size_t count, capacity;
} wl_sides;

void wl_sides_free(wl_sides *sides);
/* Appends a text with single spaces. */
wl_status wl_sides_add(wl_sides *sides, wl_text text, wl_error *error);
/* Appends the sides of the last record: anchor, positive, negatives, as far as it has them. *score: NaN where it has
 * none. WL_ERROR_FORMAT with file and line. */
wl_status wl_prepare_sides(const wl_records *records, wl_sides *sides, float *score, wl_error *error);
/* Appends the record as a JSON object: its sides under their names with single spaces, other fields as they are. */
wl_status wl_prepare_object(const wl_records *records, wl_buffer *out, wl_error *error);

/* ---- batches ----------------------------------------------------------------------------------------------------- */

typedef struct wl_candidate {
    size_t first, count; /* its sides in the batch */
    float score;
    size_t object_begin, object_size; /* the record as JSON, where it is wanted */
    wl_removed reason;                /* WL_REMOVED_REASONS: none so far */
    size_t side;                      /* the first that the reason holds for */
    size_t same;                      /* of a record with many sides: the first that repeats another; SIZE_MAX: none */
    uint32_t set;                     /* EVALUATION, NEAR: number of the set */
    float similarity;                 /* NEAR */
} wl_candidate;

/* Records that are worked on together, and what is found out about them. */
typedef struct wl_prepare_batch {
    wl_candidate *candidates;
    size_t count, capacity;
    size_t read; /* records of the file that they come from */
    wl_sides sides;
    wl_buffer objects;
    wl_text *texts;          /* (sides.count) */
    wl_text_digest *digests; /* (sides.count), with case folded */
    size_t *starts;          /* (sides.count + 1) */
    uint32_t *ids;
    size_t text_capacity, digest_capacity, start_capacity, id_capacity;
    wl_buffer scratch;
} wl_prepare_batch;

/* ---- the whole --------------------------------------------------------------------------------------------------- */

/* What waits for the result, of the records that stay: */
enum wl_prepare_spill {
    WL_SPILL_IDS,     /* of all sides, uint32_t */
    WL_SPILL_LENGTHS, /* tokens of each side, uint64_t */
    WL_SPILL_DIGESTS, /* of each record, wl_text_digest */
    WL_SPILL_RECORDS, /* wl_survivor */
    WL_SPILL_LINES, /* of all records, where kept, removed or texts is wanted: '+' and the record, then '=' and each of
                     * its sides; or '-' and the line of what is removed */
    WL_SPILLS
};

typedef struct wl_survivor {
    uint32_t sides;
    float score;
} wl_survivor;

typedef struct wl_prepare_state {
    uint64_t file, record;     /* so many records of this file were read, and all before */
    uint64_t sizes[WL_SPILLS]; /* bytes */
    uint64_t bytes;            /* of text read */
    uint64_t records;          /* read */
    uint64_t removed[WL_REMOVED_REASONS];
} wl_prepare_state;

/* How much is done at once, and how often the state is written. Results do not depend on it. */
typedef struct wl_prepare_pace {
    size_t batch_bytes;
    double state_seconds;
} wl_prepare_pace;

typedef struct wl_preparation {
    const char *const *paths;
    size_t path_count;
    const wl_tokenizer *tokenizer;
    const char *path;
    wl_prepare_options options;
    wl_context *context;
    wl_held_out held;
    wl_text_digest vocabulary; /* of the tokenizer */
    wl_text_digest arguments;
    wl_spill_folder folder;
    wl_spill spills[WL_SPILLS];
    wl_prepare_state state;
    wl_prepare_batch batch;
    wl_sides whole; /* of the record that is taken apart into sentences */
    wl_prepared result;
    wl_error *error;
} wl_preparation;

/* wl_prepare at another pace. */
wl_status wl_prepare_at(const wl_prepare_pace *pace, const char *const *paths, size_t count,
                        const wl_tokenizer *tokenizer, const char *path, const wl_prepare_options *options,
                        wl_prepared *prepared, wl_error *error);

/* A new candidate, to which the sides and the object that are appended next belong, until wl_prepare_end. NULL on
 * failure. */
wl_candidate *wl_prepare_add(wl_prepare_batch *batch, wl_error *error);
void wl_prepare_end(wl_prepare_batch *batch, wl_candidate *candidate);

/* Adds the sentences of a record's sides to the batch, each as a record with a text alone. */
wl_status wl_prepare_sentences(wl_preparation *this, const wl_records *records);

/* Tells progress; WL_ERROR_CANCELLED where it says so. */
wl_status wl_prepare_tell(wl_preparation *this);

/* The name of a file or set as a JSON string; bytes that are no UTF-8 become U+FFFD. */
void wl_prepare_write_name(wl_json_writer *json, wl_text name);

/* Gives the records of the batch their reasons and writes them to the spills. */
wl_status wl_prepare_check(wl_preparation *this);
void wl_prepare_batch_free(wl_prepare_batch *batch);

/* What was asked for, as a digest: inputs with their sizes and times, tokenizer, sets, options. WL_ERROR_ARGUMENT where
 * a call that reads what is no regular file is to be resumed. */
wl_status wl_prepare_arguments(wl_preparation *this);
/* *found: whether there is one. WL_ERROR_MISMATCH: it is that of a call with other arguments. */
wl_status wl_prepare_read_state(wl_preparation *this, bool *found);
/* What is in the spills is on the disk first. */
wl_status wl_prepare_write_state(wl_preparation *this);

/* There is no state any more: what is in the folder may go. */
wl_status wl_prepare_drop_state(const wl_preparation *this, wl_error *error);

/* From the spills to the files; fills the result. */
wl_status wl_prepare_write(wl_preparation *this);

#endif
