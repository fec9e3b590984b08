#include "train/dataset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "text/tokenizer.h"
#include "train/prepared.h"
#include "train/sampler.h"

enum { MOST_STARTS = 64 }; /* tried of a pass */

/* A record that waits, and the text that was in its way: where this is in a batch too, no other need be looked at. */
typedef struct waiting {
    uint64_t number, text;
} waiting;

/* What a source gives. */
typedef struct supply {
    wl_prepared_texts texts;
    wl_text_digest digest; /* of the file */
    wl_shuffle order;      /* of this pass */
    uint64_t pass;         /* of this epoch */
    uint64_t at;           /* records of the order that were looked at */
    bool given;            /* the pass has given a batch */
    waiting *waiting;      /* in the order in which they came */
    size_t waiting_count, waiting_capacity;
} supply;

struct wl_dataset {
    supply *sources; /* (count) */
    size_t count;
    wl_dataset_options options;
    wl_turns turns;
    uint64_t epoch;
    wl_digests seen; /* texts of the batch, with unique texts */
    /* the batch */
    size_t chosen;     /* records */
    uint64_t *numbers; /* (as many as a batch can have) */
    float *scores;     /* likewise */
    uint64_t *starts, *hashes, *rows;
    size_t start_capacity, hash_capacity, row_capacity;
    uint32_t *ids;
    size_t id_capacity;
};

/* ---- texts ------------------------------------------------------------------------------------------------------- */

static uint64_t length_of(const wl_dataset *this, const wl_prepared_texts *texts, uint64_t row)
{
    uint64_t length = texts->starts[row + 1] - texts->starts[row], most = this->options.most_tokens;
    return most && length > most ? most : length;
}

static uint64_t hash_of(const wl_dataset *this, const wl_prepared_texts *texts, uint64_t row)
{
    const void *ids = texts->ids + texts->starts[row];
    return wl_hash_bytes(ids, (size_t)length_of(this, texts, row) * sizeof *texts->ids);
}

static bool is_seen(const wl_dataset *this, uint64_t hash)
{
    return wl_digests_find(&this->seen, (wl_text_digest){hash, 0}) != NULL;
}

/* ---- choosing ---------------------------------------------------------------------------------------------------- */

static void begin_pass(wl_dataset *this, supply *from)
{
    uint64_t stream = wl_hash_pair(wl_hash_pair(this->epoch, from->pass), (uint64_t)(from - this->sources));
    from->order = wl_shuffle_begin(from->texts.count, this->options.seed, stream);
    from->at = 0;
    from->given = false;
    from->waiting_count = 0;
}

static void begin_epoch(wl_dataset *this, uint64_t epoch)
{
    this->epoch = epoch;
    wl_turns_begin(&this->turns, this->options.seed, epoch);
    for (size_t i = 0; i < this->count; i++) {
        this->sources[i].pass = 0;
        begin_pass(this, &this->sources[i]);
    }
}

/* Puts a record into the batch, unless a text of it is there: then *obstacle is one. A record may repeat a text in
 * itself. */
static wl_status take(wl_dataset *this, const supply *from, uint64_t number, uint64_t *obstacle, bool *taken,
                      wl_error *error)
{
    const wl_prepared_texts *texts = &from->texts;
    uint64_t first = texts->records[number], end = texts->records[number + 1];
    bool added;
    *taken = false;
    for (uint64_t row = first; row < end; row++) {
        *obstacle = hash_of(this, texts, row);
        if (is_seen(this, *obstacle)) return WL_OK;
    }
    for (uint64_t row = first; row < end; row++) {
        wl_text_digest digest = {hash_of(this, texts, row), 0};
        if (wl_digests_add(&this->seen, digest, 0, &added, error)) return error->code;
    }
    this->numbers[this->chosen++] = number;
    *taken = true;
    return WL_OK;
}

/* What waits comes first, in its order. */
static wl_status take_waiting(wl_dataset *this, supply *from, wl_error *error)
{
    size_t left = 0;
    for (size_t i = 0; i < from->waiting_count; i++) {
        waiting one = from->waiting[i];
        bool taken = false;
        if (this->chosen < this->options.batch && !is_seen(this, one.text) &&
            take(this, from, one.number, &one.text, &taken, error))
            return error->code;
        if (!taken) from->waiting[left++] = one;
    }
    from->waiting_count = left;
    return WL_OK;
}

/* The method of sentence-transformers' NoDuplicatesBatchSampler. Cost: a hash for each text looked at, and a look-up
 * for each record that waits. */
static wl_status choose_unique(wl_dataset *this, supply *from, wl_error *error)
{
    this->chosen = 0;
    wl_digests_clear(&this->seen);
    if (take_waiting(this, from, error)) return error->code;
    while (this->chosen < this->options.batch && from->at < from->texts.count) {
        waiting one = {wl_shuffle_at(&from->order, from->at++), 0};
        bool taken;
        if (take(this, from, one.number, &one.text, &taken, error)) return error->code;
        if (taken) continue;
        void *array = from->waiting;
        wl_status status =
            wl_reserve(&array, &from->waiting_capacity, from->waiting_count + 1, sizeof *from->waiting, error);
        if (status) return status;
        from->waiting = array;
        from->waiting[from->waiting_count++] = one;
    }
    return WL_OK;
}

/* Only counts: which records they are is computed where they are wanted. */
static void choose_plain(wl_dataset *this, supply *from)
{
    uint64_t left = from->texts.count - from->at;
    this->chosen = left < this->options.batch ? (size_t)left : this->options.batch;
    from->at += this->chosen;
}

/* The next batch of a source: full, or all that a whole pass has. Where nothing goes with a pass's first record, it
 * begins with the next one, so that data of few texts do not fail by the order that a seed gives them. */
static wl_status choose(wl_dataset *this, supply *from, wl_error *error)
{
    for (uint64_t start = 0;;) {
        if (!this->options.unique_texts)
            choose_plain(this, from);
        else if (choose_unique(this, from, error))
            return error->code;
        if (this->chosen == this->options.batch || (!from->given && this->chosen >= 2)) {
            from->given = true;
            return WL_OK;
        }
        bool alone = !from->given;
        if (alone && (++start == MOST_STARTS || start + 2 > from->texts.count))
            return wl_fail_at(
                error, WL_ERROR_FORMAT, from->texts.file.path, WL_NO_POSITION, 0,
                "no record goes with one of %d, for all have a text in common with it: there is no batch with unique "
                "texts",
                MOST_STARTS);
        from->pass += !alone;
        begin_pass(this, from);
        if (alone) from->at = start;
    }
}

/* ---- gathering --------------------------------------------------------------------------------------------------- */

static wl_status reserve(uint64_t **array, size_t *capacity, size_t count, wl_error *error)
{
    void *grown = *array;
    wl_status status = wl_reserve(&grown, capacity, count, sizeof **array, error);
    *array = grown;
    return status;
}

static uint64_t fewest_sides(const wl_dataset *this, const wl_prepared_texts *texts)
{
    uint64_t fewest = UINT64_MAX;
    for (size_t i = 0; i < this->chosen; i++) {
        uint64_t sides = texts->records[this->numbers[i] + 1] - texts->records[this->numbers[i]];
        if (sides < fewest) fewest = sides;
    }
    return fewest;
}

/* The chosen records: their texts, by side. */
static wl_status gather(wl_dataset *this, const supply *from, wl_train_batch *batch, wl_error *error)
{
    const wl_prepared_texts *texts = &from->texts;
    size_t records = this->chosen;
    for (size_t i = 0; i < records && !this->options.unique_texts; i++)
        this->numbers[i] = wl_shuffle_at(&from->order, from->at - records + i);
    size_t sides = (size_t)fewest_sides(this, texts), count = records * sides;
    if (reserve(&this->starts, &this->start_capacity, count + 1, error) ||
        reserve(&this->hashes, &this->hash_capacity, count, error) ||
        reserve(&this->rows, &this->row_capacity, count, error))
        return error->code;
    this->starts[0] = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t row = this->rows[i] = texts->records[this->numbers[i % records]] + i / records;
        this->hashes[i] = hash_of(this, texts, row);
        this->starts[i + 1] = this->starts[i] + length_of(this, texts, row);
    }
    void *ids = this->ids;
    wl_status status = wl_reserve(&ids, &this->id_capacity, (size_t)this->starts[count], sizeof *this->ids, error);
    this->ids = ids;
    if (status) return status;
    for (size_t i = 0; i < count; i++)
        memcpy(this->ids + this->starts[i], texts->ids + texts->starts[this->rows[i]],
               (size_t)(this->starts[i + 1] - this->starts[i]) * sizeof *this->ids);
    for (size_t i = 0; i < this->starts[count] && this->options.rows; i++)
        if (this->ids[i] >= this->options.rows) this->ids[i] = (uint32_t)(this->options.rows - 1);
    for (size_t i = 0; i < records && texts->scores; i++) this->scores[i] = texts->scores[this->numbers[i]];
    *batch = (wl_train_batch){
        .source = (size_t)(from - this->sources),
        .records = records,
        .sides = sides,
        .ids = this->ids,
        .starts = this->starts,
        .texts = this->hashes,
        .scores = texts->scores ? this->scores : NULL,
        .numbers = this->numbers,
        .rows = this->rows,
    };
    return WL_OK;
}

wl_status wl_dataset_next(wl_dataset *dataset, wl_train_batch *batch, uint64_t *epoch, wl_error *error)
{
    if (!dataset->turns.total_left) begin_epoch(dataset, dataset->epoch + 1);
    supply *from = &dataset->sources[wl_turns_next(&dataset->turns)];
    *epoch = dataset->epoch;
    if (choose(dataset, from, error)) return error->code;
    return gather(dataset, from, batch, error);
}

wl_status wl_dataset_seek(wl_dataset *dataset, uint64_t batches, wl_error *error)
{
    begin_epoch(dataset, batches / dataset->turns.total);
    for (uint64_t left = batches % dataset->turns.total; left; left--)
        if (choose(dataset, &dataset->sources[wl_turns_next(&dataset->turns)], error)) return error->code;
    return WL_OK;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static wl_status open_source(supply *this, const char *path, wl_text_digest digest, size_t id_count, wl_error *error)
{
    if (wl_prepared_open(&this->texts, path, digest, id_count, error)) return error->code;
    this->digest = wl_digest_bytes(this->texts.file.mapping.data, this->texts.file.mapping.size);
    if (this->texts.count >= 2) return WL_OK;
    return wl_fail_at(error, WL_ERROR_FORMAT, path, WL_NO_POSITION, 0, "has %s, a batch needs at least two",
                      this->texts.count ? "a single record" : "no record");
}

/* Whose turn it is, once all sources are open. */
static wl_status make_turns(wl_dataset *this, const wl_dataset_source *sources, size_t batch, wl_error *error)
{
    uint64_t *sizes = wl_allocate(this->count, sizeof *sizes, error);
    double *weights = sizes ? wl_allocate(this->count, sizeof *weights, error) : NULL;
    for (size_t i = 0; i < this->count && weights; i++) {
        uint64_t batches = this->sources[i].texts.count / batch;
        sizes[i] = batches ? batches : 1;
        weights[i] = sources[i].weight > 0 ? sources[i].weight : 1;
    }
    wl_status status = weights
                           ? wl_turns_create(&this->turns, this->options.sampling, sizes, weights, this->count, error)
                           : WL_ERROR_MEMORY;
    free(weights);
    free(sizes);
    return status;
}

static wl_status open_all(wl_dataset *this, const wl_dataset_source *sources, const wl_tokenizer *tokenizer,
                          size_t batch, wl_error *error)
{
    uint64_t most = 0; /* records of a source */
    wl_text_digest digest;
    if (wl_digest_tokenizer(tokenizer, &digest, error)) return error->code;
    size_t id_count = wl_tokenizer_ids(tokenizer);
    for (size_t i = 0; i < this->count; i++) {
        if (open_source(&this->sources[i], sources[i].path, digest, id_count, error)) return error->code;
        if (this->sources[i].texts.count > most) most = this->sources[i].texts.count;
    }
    if (most > batch) most = batch;
    this->numbers = wl_allocate((size_t)most, sizeof *this->numbers, error);
    this->scores = this->numbers ? wl_allocate((size_t)most, sizeof *this->scores, error) : NULL;
    return this->scores ? make_turns(this, sources, batch, error) : WL_ERROR_MEMORY;
}

static wl_status check_sources(const wl_dataset_source *sources, size_t count, wl_error *error)
{
    if (!count) return wl_fail(error, WL_ERROR_ARGUMENT, "there is no source of texts");
    for (size_t i = 0; i < count; i++)
        if (!(sources[i].weight >= 0 && sources[i].weight <= 1000))
            return wl_fail_at(error, WL_ERROR_ARGUMENT, sources[i].path, WL_NO_POSITION, 0,
                              "the weight is %g, expected a number from 0 to 1000", sources[i].weight);
    return WL_OK;
}

wl_dataset *wl_dataset_open(const wl_dataset_source *sources, size_t count, const wl_tokenizer *tokenizer,
                            const wl_dataset_options *options, wl_error *error)
{
    size_t batch = options->batch;
    if (batch < 2) {
        wl_fail(error, WL_ERROR_ARGUMENT, "a batch is of %zu records, expected at least 2", batch);
        return NULL;
    }
    if (check_sources(sources, count, error)) return NULL;
    wl_dataset *this = wl_allocate(1, sizeof *this, error);
    if (!this) return NULL;
    *this = (wl_dataset){.count = count, .options = *options};
    this->sources = wl_allocate(count, sizeof *this->sources, error);
    if (!this->sources || open_all(this, sources, tokenizer, batch, error)) {
        wl_dataset_close(this);
        return NULL;
    }
    begin_epoch(this, 0);
    return this;
}

void wl_dataset_close(wl_dataset *dataset)
{
    if (!dataset) return;
    for (size_t i = 0; i < dataset->count && dataset->sources; i++) {
        wl_prepared_close(&dataset->sources[i].texts);
        free(dataset->sources[i].waiting);
    }
    wl_turns_free(&dataset->turns);
    wl_digests_free(&dataset->seen);
    free(dataset->sources);
    free(dataset->numbers);
    free(dataset->scores);
    free(dataset->starts);
    free(dataset->hashes);
    free(dataset->rows);
    free(dataset->ids);
    free(dataset);
}

wl_dataset_info wl_dataset_describe(const wl_dataset *dataset, size_t source)
{
    const wl_prepared_texts *texts = &dataset->sources[source].texts;
    return (wl_dataset_info){
        .records = texts->count,
        .texts = texts->texts,
        .fewest_sides = texts->fewest_sides,
        .most_sides = texts->most_sides,
        .scored = texts->scored,
        .batches = dataset->turns.shares[source],
        .digest = dataset->sources[source].digest,
    };
}

uint64_t wl_dataset_records(const wl_dataset *dataset)
{
    uint64_t records = 0;
    for (size_t i = 0; i < dataset->count; i++) records += dataset->sources[i].texts.count;
    return records;
}

uint64_t wl_dataset_batches(const wl_dataset *dataset)
{
    return dataset->turns.total;
}
