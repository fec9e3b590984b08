/* Batches out of prepared files: orders, proportions, unique texts against a plain model of the reference's sampler,
 * seeking, damaged files. */
#include <math.h>

#include "base/hash.h"
#include "fault.h"
#include "format/safetensors_write.h"
#include "prepare.h"
#include "train/dataset.h"
#include "train/prepared.h"
#include "train/sampler.h"

static wl_tokenizer *tokenizer;

/* ---- making prepared files --------------------------------------------------------------------------------------- */

enum { MOST_RECORDS = 4096, MOST_TEXTS = 3 * MOST_RECORDS, LONGEST = 8, IDS = 256 };

/* What a file is to hold. Text number t is its four digits in base 100 and t % 5 more ids. */
typedef struct recipe {
    uint32_t ids[MOST_TEXTS * LONGEST];
    uint64_t starts[MOST_TEXTS + 1], records[MOST_RECORDS + 1];
    float scores[MOST_RECORDS];
    size_t texts, count;
    bool scored;
    char format[32], version[8], digest[WL_DIGEST_DIGITS];
    wl_tensor tensors[4]; /* of write_recipe */
} recipe;

static recipe made;

static void begin_recipe(void)
{
    memset(&made, 0, sizeof made);
    strcpy(made.format, "wordllama texts");
    strcpy(made.version, "1");
    wl_text_digest of_tokenizer;
    wl_error unused;
    CHECK(wl_digest_tokenizer(tokenizer, &of_tokenizer, &unused) == WL_OK);
    wl_digest_print(of_tokenizer, made.digest);
}

static void add_text(uint64_t text)
{
    uint64_t at = made.starts[made.texts];
    for (uint64_t rest = text, digit = 0; digit < 4; digit++, rest /= 100) made.ids[at++] = (uint32_t)(rest % 100);
    for (uint64_t i = 0; i < text % 5 && i < LONGEST - 4; i++) made.ids[at++] = 100 + (uint32_t)i;
    made.starts[++made.texts] = at;
}

static void end_record(float score)
{
    made.scores[made.count] = score;
    made.records[++made.count] = made.texts;
}

/* Record i of so many sides has the texts 3 * i, 3 * i + 1 ... */
static void add_record(size_t sides)
{
    size_t first = 3 * made.count;
    for (size_t i = 0; i < sides; i++) add_text(first + i);
    end_record((float)made.count / 2);
}

static uint64_t text_of(const uint32_t *ids)
{
    return ids[0] + 100 * (ids[1] + 100 * ((uint64_t)ids[2] + 100 * ids[3]));
}

static void set_tensor(int i, const char *name, wl_dtype dtype, const void *data, uint64_t count)
{
    made.tensors[i] = (wl_tensor){.name = (char *)(uintptr_t)name, .dtype = dtype, .rank = 1, .shape = {count}};
    made.tensors[i].count = count;
    made.tensors[i].bytes = (size_t)count * wl_dtype_size(dtype);
    made.tensors[i].data = data;
}

static void set_tensors(void)
{
    set_tensor(0, "ids", WL_U32, made.ids, made.starts[made.texts]);
    set_tensor(1, "starts", WL_U64, made.starts, made.texts + 1);
    set_tensor(2, "records", WL_U64, made.records, made.count + 1);
    set_tensor(3, "scores", WL_F32, made.scores, made.count);
}

/* The tensors as set_tensors, or who changed them since, left them. */
static const char *write_tensors(const char *name, size_t count)
{
    const char *const metadata[][2] = {{"format", made.format}, {"version", made.version}, {"tokenizer", made.digest}};
    wl_error error = {0};
    wl_buffer header = {0};
    const char *path = in_root(name);
    CHECK(!wl_safetensors_header(made.tensors, count, *metadata, 3, &header, &error));
    CHECK(!wl_safetensors_write(path, &header, made.tensors, count, &error));
    wl_buffer_free(&header);
    return path;
}

static const char *write_recipe(const char *name)
{
    set_tensors();
    return write_tensors(name, made.scored ? 4 : 3);
}

static const char *write_records(const char *name, size_t count, size_t sides)
{
    begin_recipe();
    for (size_t i = 0; i < count; i++) add_record(sides);
    return write_recipe(name);
}

/* ---- reading them ------------------------------------------------------------------------------------------------ */

static const wl_dataset_options usual = {.batch = 32, .seed = 7};

static wl_dataset *open_sources(const wl_dataset_source *sources, size_t count, const wl_dataset_options *options)
{
    wl_error error = {0};
    wl_dataset *dataset = wl_dataset_open(sources, count, tokenizer, options, &error);
    CHECK_THAT(dataset, "%s: %s", error.file, error.message);
    if (!dataset) exit(test_end());
    return dataset;
}

static wl_dataset *open_one(const char *path, const wl_dataset_options *options)
{
    return open_sources(&(wl_dataset_source){.path = path}, 1, options);
}

static wl_train_batch next(wl_dataset *dataset)
{
    wl_train_batch batch = {0};
    wl_error error = {0};
    uint64_t epoch;
    wl_status status = wl_dataset_next(dataset, &batch, &epoch, &error);
    CHECK_THAT(!status, "%s", error.message);
    if (status) exit(test_end());
    return batch;
}

/* A hash of all that a batch is. */
static uint64_t batch_print(const wl_train_batch *batch)
{
    size_t count = batch->records * batch->sides;
    uint64_t parts[] = {
        batch->source,
        batch->records,
        batch->sides,
        wl_hash_bytes((const char *)batch->starts, (count + 1) * sizeof *batch->starts),
        wl_hash_bytes((const char *)batch->ids, (size_t)batch->starts[count] * sizeof *batch->ids),
        wl_hash_bytes((const char *)batch->texts, count * sizeof *batch->texts),
        wl_hash_bytes((const char *)batch->rows, count * sizeof *batch->rows),
        wl_hash_bytes((const char *)batch->numbers, batch->records * sizeof *batch->numbers),
        batch->scores ? wl_hash_bytes((const char *)batch->scores, batch->records * sizeof *batch->scores) : 0,
    };
    return wl_hash_bytes((const char *)parts, sizeof parts);
}

/* ---- shuffles ---------------------------------------------------------------------------------------------------- */

static void check_permutation(uint64_t count, uint64_t stream)
{
    static bool seen[MOST_TEXTS];
    wl_shuffle shuffle = wl_shuffle_begin(count, 3, stream);
    memset(seen, 0, sizeof seen);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t at = wl_shuffle_at(&shuffle, i);
        CHECK_THAT(at < count && !seen[at], "%d of %d", (int)i, (int)count);
        if (at < count) seen[at] = true;
    }
}

static void test_shuffle(void)
{
    for (uint64_t count = 1; count <= 70; count++) check_permutation(count, count);
    static const uint64_t counts[] = {255, 256, 257, 1000, 4096, 4097, 10000};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) check_permutation(counts[i], i);
    wl_shuffle large = wl_shuffle_begin(UINT64_C(1) << 62, 1, 1);
    CHECK(wl_shuffle_at(&large, 5) != wl_shuffle_at(&large, 6));

    /* Over many streams each number is as often at each place: chi squared within five deviations of its mean. */
    enum { LARGEST = 20, STREAMS = 12000 };
    for (uint64_t count = 2; count <= LARGEST; count++) {
        static double found[LARGEST][LARGEST];
        memset(found, 0, sizeof found);
        for (uint64_t stream = 0; stream < STREAMS; stream++) {
            wl_shuffle shuffle = wl_shuffle_begin(count, 11, stream);
            for (uint64_t i = 0; i < count; i++) found[i][wl_shuffle_at(&shuffle, i)]++;
        }
        double expected = (double)STREAMS / (double)count, sum = 0;
        for (uint64_t i = 0; i < count; i++)
            for (uint64_t j = 0; j < count; j++) sum += pow(found[i][j] - expected, 2) / expected;
        double freedom = (double)((count - 1) * (count - 1));
        CHECK_THAT(sum < freedom + 5 * sqrt(2 * freedom), "%d: %g for %g", (int)count, sum, freedom);
    }
}

/* ---- epochs ------------------------------------------------------------------------------------------------------ */

static void test_epochs(void)
{
    enum { COUNT = 1000, FULL = COUNT / 32 };
    const char *path = write_records("pairs", COUNT, 2);
    wl_dataset *dataset = open_one(path, &usual), *same = open_one(path, &usual);
    wl_dataset_options other = usual;
    other.seed = 8;
    wl_dataset *different = open_one(path, &other);
    CHECK(wl_dataset_records(dataset) == COUNT && wl_dataset_batches(dataset) == FULL);
    wl_dataset_info info = wl_dataset_describe(dataset, 0);
    CHECK(info.records == COUNT && info.texts == 2 * COUNT && info.fewest_sides == 2 && info.most_sides == 2);
    CHECK(!info.scored && info.batches == FULL);
    size_t equal_epochs = 0, equal_seeds = 0, in_order = 0;
    static uint64_t first[FULL];
    for (uint64_t expected = 0; expected < 3; expected++) {
        static int taken[COUNT];
        memset(taken, 0, sizeof taken);
        for (size_t i = 0; i < FULL; i++) {
            wl_train_batch batch, twin = next(same), foreign = next(different);
            wl_error error = {0};
            uint64_t epoch = 99;
            CHECK(!wl_dataset_next(dataset, &batch, &epoch, &error) && epoch == expected);
            CHECK(batch.records == 32 && batch.sides == 2 && batch.source == 0 && !batch.scores);
            CHECK(batch_print(&batch) == batch_print(&twin));
            equal_seeds += batch_print(&batch) == batch_print(&foreign);
            if (!epoch) first[i] = batch.numbers[0];
            if (epoch) equal_epochs += batch.numbers[0] == first[i];
            for (size_t j = 0; j < batch.records; j++) {
                taken[batch.numbers[j]]++;
                if (j) in_order += batch.numbers[j] == batch.numbers[j - 1] + 1;
            }
        }
        size_t once = 0;
        for (size_t i = 0; i < COUNT; i++) once += taken[i] == 1;
        CHECK_THAT(once == (size_t)FULL * 32, "%zu", once);
    }
    CHECK(equal_epochs < 5 && equal_seeds == 0 && in_order < 20);
    wl_dataset_close(dataset);
    wl_dataset_close(same);
    wl_dataset_close(different);
    wl_dataset_close(NULL);
}

/* A batch of more records than there are is all of them; one of as many is the same. */
static void test_small_sources(void)
{
    const char *path = write_records("small", 5, 2);
    for (size_t size = 4; size <= 6; size++) {
        wl_dataset_options options = {.batch = size, .unique_texts = size % 2};
        wl_dataset *dataset = open_one(path, &options);
        CHECK(wl_dataset_batches(dataset) == 1);
        for (int i = 0; i < 4; i++) CHECK(next(dataset).records == (size < 5 ? size : 5));
        wl_dataset_close(dataset);
    }
}

/* ---- texts, sides, scores ---------------------------------------------------------------------------------------- */

/* Against what add_record wrote. */
static void check_batch(const wl_train_batch *batch, uint32_t most_tokens)
{
    size_t fewest = 99;
    CHECK(batch->starts[0] == 0);
    for (size_t i = 0; i < batch->records; i++) {
        size_t sides = (size_t)(made.records[batch->numbers[i] + 1] - made.records[batch->numbers[i]]);
        if (sides < fewest) fewest = sides;
        CHECK(!batch->scores || batch->scores[i] == made.scores[batch->numbers[i]] ||
              (isnan(batch->scores[i]) && isnan(made.scores[batch->numbers[i]])));
    }
    CHECK(batch->sides == fewest);
    for (size_t side = 0; side < batch->sides; side++)
        for (size_t i = 0; i < batch->records; i++) {
            size_t at = side * batch->records + i;
            uint64_t row = made.records[batch->numbers[i]] + side, length = made.starts[row + 1] - made.starts[row];
            if (most_tokens && length > most_tokens) length = most_tokens;
            CHECK(batch->rows[at] == row && batch->starts[at + 1] - batch->starts[at] == length);
            CHECK(memcmp(batch->ids + batch->starts[at], made.ids + made.starts[row], length * sizeof(uint32_t)) == 0);
        }
}

static void test_sides(void)
{
    static const uint32_t cuts[] = {0, 1, 5, 6, 100};
    for (size_t sides = 0; sides <= 3; sides++) { /* 0: mixed */
        begin_recipe();
        made.scored = sides % 2;
        for (size_t i = 0; i < 300; i++) add_record(sides ? sides : 1 + i * i % 7 % 3);
        for (size_t i = 0; i < 300; i += 3) made.scores[i] = NAN;
        const char *path = write_recipe("sides");
        for (size_t cut = 0; cut < sizeof cuts / sizeof *cuts; cut++) {
            wl_dataset_options options = {.batch = 4, .most_tokens = cuts[cut], .seed = cut};
            wl_dataset *dataset = open_one(path, &options);
            wl_dataset_info info = wl_dataset_describe(dataset, 0);
            CHECK(info.fewest_sides == (sides ? sides : 1) && info.most_sides == (sides ? sides : 3));
            CHECK(info.scored == (made.scored ? 200 : 0));
            size_t seen[4] = {0};
            for (int i = 0; i < 100; i++) {
                wl_train_batch batch = next(dataset);
                CHECK(!batch.scores == !made.scored);
                check_batch(&batch, cuts[cut]);
                seen[batch.sides]++;
            }
            CHECK(sides ? seen[sides] == 100 : seen[1] > 0 && seen[2] > 0 && seen[1] + seen[2] + seen[3] == 100);
            wl_dataset_close(dataset);
        }
    }
}

/* Hashes are equal where the texts are, as far as they were cut. */
static void test_hashes(void)
{
    begin_recipe();
    for (size_t i = 0; i < 40; i++) {
        add_text(i % 7);
        add_text(1000000 * (i % 5)); /* differ in the fourth id */
        end_record(0);
    }
    const char *path = write_recipe("hashes");
    for (uint32_t cut = 3; cut <= 4; cut++) {
        wl_dataset_options options = {.batch = 40, .most_tokens = cut};
        wl_dataset *dataset = open_one(path, &options);
        wl_train_batch batch = next(dataset);
        for (size_t i = 0; i < 80; i++)
            for (size_t j = 0; j < 80; j++) {
                uint64_t a = text_of(made.ids + made.starts[batch.rows[i]]);
                uint64_t b = text_of(made.ids + made.starts[batch.rows[j]]);
                bool equal = cut == 3 ? a % 1000000 == b % 1000000 : a == b;
                CHECK((batch.texts[i] == batch.texts[j]) == equal);
            }
        wl_dataset_close(dataset);
    }
}

/* ---- unique texts ------------------------------------------------------------------------------------------------ */

enum { REPEATING = 1500 };

/* Two or three sides out of few texts: most batches meet repeats. */
static const char *write_repeating(const char *name, size_t texts)
{
    wl_random random = wl_random_seed(5, 5);
    begin_recipe();
    for (size_t i = 0; i < REPEATING; i++) {
        for (size_t side = 0; side < 2 + i % 2; side++) add_text(wl_random_below(&random, texts));
        end_record(0);
    }
    return write_recipe(name);
}

static bool share_text(uint64_t a, uint64_t b)
{
    for (uint64_t i = made.records[a]; i < made.records[a + 1]; i++)
        for (uint64_t j = made.records[b]; j < made.records[b + 1]; j++)
            if (text_of(made.ids + made.starts[i]) == text_of(made.ids + made.starts[j])) return true;
    return false;
}

/* The reference's way over an order of which some are gone: first come first served, who repeats a text stays. Returns
 * the records taken. */
static size_t plain_choice(const uint64_t *order, bool *gone, size_t count, size_t batch, uint64_t *out)
{
    size_t taken = 0;
    for (size_t i = 0; i < count && taken < batch; i++) {
        bool fits = !gone[i];
        for (size_t j = 0; j < taken && fits; j++) fits = !share_text(order[i], out[j]);
        if (!fits) continue;
        out[taken++] = order[i];
        gone[i] = true;
    }
    return taken;
}

static void test_unique(void)
{
    static const size_t texts[] = {100000, 2000, 300};
    for (size_t few = 0; few < sizeof texts / sizeof *texts; few++) {
        const char *path = write_repeating("repeating", texts[few]);
        wl_dataset_options options = {.batch = REPEATING, .seed = few}, unique = {.batch = 24, .seed = few};
        unique.unique_texts = true;
        wl_dataset *whole = open_one(path, &options), *dataset = open_one(path, &unique);
        for (int epoch = 0; epoch < 2; epoch++) {
            static bool gone[REPEATING];
            memset(gone, 0, sizeof gone);
            wl_train_batch order = next(whole); /* all records in the order of the pass */
            size_t batches = 0, waited = 0;
            for (; batches < wl_dataset_batches(dataset); batches++) {
                uint64_t expected[24];
                size_t taken = plain_choice(order.numbers, gone, REPEATING, 24, expected);
                if (taken < 24) break;
                wl_train_batch batch = next(dataset);
                CHECK(batch.records == 24 && memcmp(batch.numbers, expected, sizeof expected) == 0);
                for (size_t i = 1; i < 24 && !waited; i++)
                    waited += batch.numbers[i] != order.numbers[24 * batches + i];
                check_batch(&batch, 0);
            }
            CHECK_THAT(batches > 0 && (few == 0 || waited), "%zu", batches);
            CHECK(few == 2 || batches + 3 > wl_dataset_batches(dataset)); /* nearly nothing is left over */
            /* What the pass lacks to the epoch comes out of another pass. */
            for (; batches < wl_dataset_batches(dataset); batches++) {
                wl_train_batch batch = next(dataset);
                CHECK(batch.records == 24);
                for (size_t i = 0; i < 24; i++)
                    for (size_t j = 0; j < i; j++) CHECK(!share_text(batch.numbers[i], batch.numbers[j]));
            }
        }
        wl_dataset_close(whole);
        wl_dataset_close(dataset);
    }
}

/* Few texts: a batch is as large as it gets; a single text: there is none. */
static void test_hardly_unique(void)
{
    wl_dataset_options options = {.batch = 24, .unique_texts = true};
    begin_recipe();
    for (size_t i = 0; i < 100; i++) {
        add_text(i % 3);
        add_text(i % 3); /* a record may repeat itself */
        end_record(0);
    }
    wl_dataset *dataset = open_one(write_recipe("three"), &options);
    for (int i = 0; i < 10; i++) CHECK(next(dataset).records == 3);
    wl_dataset_close(dataset);
    begin_recipe();
    for (size_t i = 0; i < 100; i++) {
        add_text(2);
        end_record(0);
    }
    dataset = open_one(write_recipe("one"), &options);
    wl_train_batch batch;
    uint64_t epoch;
    wl_error error = {0};
    CHECK(wl_dataset_next(dataset, &batch, &epoch, &error) == WL_ERROR_FORMAT && strstr(error.file, "one"));
    CHECK(wl_dataset_seek(dataset, 2, &error) == WL_ERROR_FORMAT);
    CHECK(!wl_dataset_seek(dataset, 0, &error));
    wl_dataset_close(dataset);
}

/* A record that goes with no other one comes first in some orders: the data have batches for every seed. */
static void test_one_in_the_way(void)
{
    begin_recipe();
    for (size_t i = 0; i < 3; i++) {
        add_text(i == 2 ? 1 : 0);
        add_text(i == 0 ? 1 : 2 + i);
        end_record(0);
    }
    const char *path = write_recipe("in-the-way");
    for (uint64_t seed = 0; seed < 20; seed++) {
        wl_dataset_options options = {.batch = 24, .unique_texts = true, .seed = seed};
        wl_dataset *dataset = open_one(path, &options);
        for (int i = 0; i < 5; i++) {
            wl_train_batch batch = next(dataset);
            CHECK(batch.records == 2 && batch.numbers[0] + batch.numbers[1] == 3);
        }
        wl_dataset_close(dataset);
    }
}

/* ---- sources ----------------------------------------------------------------------------------------------------- */

/* The sources of the next batches, as digits. */
static const char *turns_of(wl_dataset *dataset, size_t count)
{
    static char text[64];
    for (size_t i = 0; i < count; i++) text[i] = (char)('0' + next(dataset).source);
    text[count] = 0;
    return text;
}

static void test_sources(void)
{
    wl_dataset_source sources[] = {
        {write_records("a", 2000, 2), 0}, {write_records("b", 1000, 3), 0}, {write_records("c", 500, 1), 0}};
    wl_dataset_options options = {.batch = 10};
    /* Proportional: all of each, evenly through the epoch. */
    wl_dataset *dataset = open_sources(sources, 3, &options);
    CHECK(wl_dataset_batches(dataset) == 350 && wl_dataset_records(dataset) == 3500);
    double places[3] = {0};
    size_t counts[3] = {0}, changes = 0, last = 0;
    for (size_t i = 0; i < 350; i++) {
        wl_train_batch batch = next(dataset);
        CHECK(batch.sides == (batch.source == 0 ? 2 : batch.source == 1 ? 3 : 1));
        counts[batch.source]++;
        places[batch.source] += (double)i;
        changes += batch.source != last;
        last = batch.source;
    }
    CHECK(counts[0] == 200 && counts[1] == 100 && counts[2] == 50);
    for (int i = 0; i < 3; i++) {
        /* The mean place of n out of 350, drawn evenly: within four deviations of the middle. */
        double mean = places[i] / (double)counts[i], deviation = 350 / sqrt(12 * (double)counts[i]);
        CHECK_THAT(fabs(mean - 174.5) < 4 * deviation, "%d: %g", i, mean);
    }
    /* Of 349 steps 1 - (4/7)^2 - (2/7)^2 - (1/7)^2 = 57 % are changes. */
    CHECK_THAT(changes > 160 && changes < 240, "%zu", changes);
    wl_dataset_close(dataset);

    sources[1].weight = 0.25; /* a quarter of it in an epoch */
    sources[2].weight = 3;    /* three passes */
    dataset = open_sources(sources, 3, &options);
    CHECK(wl_dataset_batches(dataset) == 200 + 25 + 150);
    static int taken[3][2000];
    for (size_t i = 0; i < 375; i++) {
        wl_train_batch batch = next(dataset);
        for (size_t j = 0; j < batch.records; j++) taken[batch.source][batch.numbers[j]]++;
    }
    size_t sums[3][4] = {{0}};
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 2000; j++) {
            CHECK(taken[i][j] <= 3);
            sums[i][taken[i][j] & 3]++;
        }
    CHECK(sums[0][1] == 2000 && sums[1][1] == 250 && sums[2][3] == 500);
    wl_dataset_close(dataset);

    /* Round robin: turns until the smallest is exhausted. */
    options.sampling = WL_SAMPLE_ROUND_ROBIN;
    sources[1].weight = sources[2].weight = 0;
    dataset = open_sources(sources, 3, &options);
    CHECK(wl_dataset_batches(dataset) == 150);
    CHECK(wl_dataset_describe(dataset, 0).batches == 50 && wl_dataset_describe(dataset, 2).batches == 50);
    CHECK(strcmp(turns_of(dataset, 12), "012012012012") == 0);
    wl_dataset_close(dataset);
    sources[0].weight = 2;
    dataset = open_sources(sources, 3, &options);
    CHECK(wl_dataset_batches(dataset) == 200);
    CHECK(strcmp(turns_of(dataset, 12), "012001200120") == 0);
    wl_dataset_close(dataset);
    dataset = open_sources(sources, 1, &options);
    CHECK(wl_dataset_batches(dataset) == 200 && strcmp(turns_of(dataset, 4), "0000") == 0);
    wl_dataset_close(dataset);
}

/* ---- seeking ----------------------------------------------------------------------------------------------------- */

static void test_seek(void)
{
    enum { TOTAL = 260 };
    static uint64_t prints[TOTAL], epochs[TOTAL];
    wl_error error = {0};
    char mixed[256], repeating[256];
    begin_recipe();
    for (size_t i = 0; i < 203; i++) add_record(1 + i % 3);
    snprintf(mixed, sizeof mixed, "%s", write_recipe("mixed"));
    snprintf(repeating, sizeof repeating, "%s", write_repeating("repeating", 300));
    const wl_dataset_source sources[] = {{mixed, 2.5}, {repeating, 0.5}, {mixed, 0}};
    for (int kind = 0; kind < 4; kind++) {
        wl_dataset_options options = {.batch = 16, .most_tokens = 5, .seed = (uint64_t)kind};
        options.sampling = kind & 1 ? WL_SAMPLE_ROUND_ROBIN : WL_SAMPLE_PROPORTIONAL;
        options.unique_texts = kind & 2;
        wl_dataset *dataset = open_sources(sources, 3, &options), *other = open_sources(sources, 3, &options);
        wl_train_batch batch;
        CHECK(wl_dataset_batches(dataset) < TOTAL / 2);
        for (size_t i = 0; i < TOTAL; i++) {
            CHECK(!wl_dataset_next(dataset, &batch, &epochs[i], &error));
            CHECK(epochs[i] == i / wl_dataset_batches(dataset));
            prints[i] = batch_print(&batch);
        }
        for (size_t from = 0, step = 1; from + 5 < TOTAL; from += step++ % 9) {
            uint64_t epoch;
            CHECK(!wl_dataset_seek(other, from, &error));
            for (size_t i = from; i < from + 5; i++) {
                CHECK(!wl_dataset_next(other, &batch, &epoch, &error));
                CHECK_THAT(epoch == epochs[i] && batch_print(&batch) == prints[i], "kind %d, %zu", kind, i);
            }
        }
        CHECK(!wl_dataset_seek(other, UINT64_MAX, &error)); /* far, not slow */
        next(other);
        wl_dataset_close(dataset);
        wl_dataset_close(other);
    }
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

static wl_status open_status(const char *path, wl_error *error)
{
    *error = (wl_error){0};
    const wl_dataset_source source = {path, 0};
    wl_dataset *dataset = wl_dataset_open(&source, 1, tokenizer, &usual, error);
    if (!dataset) return error->code;
    for (int i = 0; i < 3; i++) next(dataset);
    wl_dataset_close(dataset);
    return WL_OK;
}

static void small_recipe(void)
{
    begin_recipe();
    made.scored = true;
    for (size_t i = 0; i < 6; i++) add_record(2);
}

/* One value of the file other than it should be. */
static void test_wrong_values(void)
{
    enum { STARTS, RECORDS };
    static const struct {
        int tensor;
        size_t at;
        int64_t value; /* -1: the one before; -2: one more */
        const char *message;
    } wrong[] = {
        {STARTS, 0, 1, "does not begin with 0"},  {STARTS, 3, -1, "expected more"},  {STARTS, 3, 2, "expected more"},
        {STARTS, 5, INT64_MAX, "at most"},        {STARTS, 12, -2, "at most"},       {STARTS, 12, 66, "ends with 66"},
        {RECORDS, 0, 1, "does not begin with 0"}, {RECORDS, 2, -1, "expected more"}, {RECORDS, 2, 1, "expected more"},
        {RECORDS, 3, INT64_MAX, "at most"},       {RECORDS, 6, -2, "at most"},       {RECORDS, 6, 11, "ends with 11"},
    };
    wl_error error;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        small_recipe();
        set_tensors(); /* with the right counts */
        uint64_t *values = wrong[i].tensor == STARTS ? made.starts : made.records;
        uint64_t right = values[wrong[i].at];
        values[wrong[i].at] = wrong[i].value == -1   ? values[wrong[i].at - 1]
                              : wrong[i].value == -2 ? right + 1
                                                     : (uint64_t)wrong[i].value;
        CHECK(open_status(write_tensors("wrong", 4), &error) == WL_ERROR_FORMAT);
        CHECK_THAT(strstr(error.message, wrong[i].message) && strstr(error.file, "wrong") &&
                       error.byte != WL_NO_POSITION,
                   "%zu: %s", i, error.message);
    }
    small_recipe();
    made.ids[9] = IDS;
    CHECK(open_status(write_recipe("wrong"), &error) == WL_ERROR_FORMAT && strstr(error.message, "id 256"));
    made.ids[9] = IDS - 1;
    CHECK(open_status(write_recipe("wrong"), &error) == WL_OK);
    made.scores[2] = -INFINITY;
    CHECK(open_status(write_recipe("wrong"), &error) == WL_ERROR_FORMAT && strstr(error.message, "score of record 2"));
}

static void test_wrong_tensors(void)
{
    static const struct {
        wl_dtype dtype;
        uint32_t elements; /* for one of what it should be */
    } others[] = {{WL_I32, 1}, {WL_I64, 1}, {WL_F16, 2}, {WL_I64, 1}};
    wl_error error;
    for (size_t i = 0; i < 4; i++) {
        small_recipe();
        set_tensors();
        made.tensors[i].name = (char *)(uintptr_t) "other";
        CHECK((open_status(write_tensors("wrong", 4), &error) == WL_OK) == (i == 3)); /* scores may be missing */
        CHECK(i == 3 || strstr(error.message, "missing"));
    }
    static const char *const names[] = {"ids", "starts", "records", "scores"};
    static int64_t zeros[64];
    for (size_t i = 0; i < 4; i++) {
        small_recipe();
        set_tensors();
        set_tensor((int)i, names[i], others[i].dtype, zeros, 12);
        CHECK(open_status(write_tensors("wrong", 4), &error) == WL_ERROR_FORMAT);
        CHECK_THAT(strstr(error.message, names[i]), "%s", error.message);
        set_tensors();
        made.tensors[i].rank = 2;
        made.tensors[i].shape[1] = 1;
        CHECK(open_status(write_tensors("wrong", 4), &error) == WL_ERROR_FORMAT && strstr(error.message, "dimensions"));
        set_tensors();
        set_tensor((int)i, names[i], made.tensors[i].dtype, zeros, 0);
        CHECK(open_status(write_tensors("wrong", 4), &error) == WL_ERROR_FORMAT);
    }
    set_tensors();
    set_tensor(3, "scores", WL_F32, made.scores, made.count - 1);
    CHECK(open_status(write_tensors("wrong", 4), &error) == WL_ERROR_FORMAT && strstr(error.message, "5 scores for 6"));
}

static void test_wrong_metadata(void)
{
    wl_error error;
    small_recipe();
    strcpy(made.format, "wordllama codebook");
    CHECK(open_status(write_recipe("wrong"), &error) == WL_ERROR_FORMAT && strstr(error.message, "wordllama codebook"));
    small_recipe();
    strcpy(made.version, "2");
    CHECK(open_status(write_recipe("wrong"), &error) == WL_ERROR_UNSUPPORTED && strstr(error.message, "version 2"));
    small_recipe();
    made.digest[5] = made.digest[5] == 'a' ? 'b' : 'a';
    CHECK(open_status(write_recipe("wrong"), &error) == WL_ERROR_MISMATCH && strstr(error.message, "tokenizer"));
    /* Without any metadata. */
    small_recipe();
    set_tensors();
    wl_buffer header = {0};
    CHECK(!wl_safetensors_header(made.tensors, 4, NULL, 0, &header, &error));
    CHECK(!wl_safetensors_write(in_root("wrong"), &header, made.tensors, 4, &error));
    wl_buffer_free(&header);
    CHECK(open_status(in_root("wrong"), &error) == WL_ERROR_FORMAT && strstr(error.message, "missing"));
    /* Another tokenizer, in earnest. */
    static const char json[] =
        "{\"version\":\"1.0\",\"added_tokens\":[],\"model\":{\"type\":\"WordLevel\",\"unk_token\":"
        "\"a\",\"vocab\":{\"a\":0,\"b\":1}}}";
    wl_tokenizer *foreign = wl_tokenizer_parse(json, sizeof json - 1, NULL, &error);
    CHECK_THAT(foreign, "%s", error.message);
    if (!foreign) return;
    small_recipe();
    const wl_dataset_source source = {write_recipe("right"), 0};
    CHECK(open_status(source.path, &error) == WL_OK);
    CHECK(!wl_dataset_open(&source, 1, foreign, &usual, &error) && error.code == WL_ERROR_MISMATCH);
    wl_tokenizer_close(foreign);
}

static void write_bytes(const char *name, const char *data, size_t size)
{
    FILE *file = fopen(in_root(name), "wb");
    CHECK(file && fwrite(data, 1, size, file) == size && !fclose(file));
}

/* Files cut anywhere, with any byte changed, with data that no longer lies at a multiple of 8: an error or a file that
 * can be used. */
static void test_damage(void)
{
    wl_error error = {0};
    wl_mapping mapping;
    small_recipe();
    CHECK(!wl_mapping_open(&mapping, write_recipe("whole"), &error));
    char *data = wl_allocate(mapping.size + 1, 1, &error);
    if (!data) return;
    size_t refused = 0;
    for (size_t size = 0; size < mapping.size; size += 1 + size % 3) {
        write_bytes("damaged", mapping.data, size);
        CHECK(open_status(in_root("damaged"), &error) == WL_ERROR_FORMAT);
    }
    for (size_t at = 0; at < mapping.size; at++) {
        memcpy(data, mapping.data, mapping.size);
        data[at] = (char)(data[at] ^ 1 << at % 8);
        write_bytes("damaged", data, mapping.size);
        refused += open_status(in_root("damaged"), &error) != WL_OK;
    }
    CHECK_THAT(refused > mapping.size / 3 && refused < mapping.size, "%zu of %zu", refused, mapping.size);
    uint64_t header;
    memcpy(&header, mapping.data, sizeof header);
    memcpy(data, mapping.data, 8 + header);
    data[8 + header] = ' ';
    memcpy(data + 9 + header, mapping.data + 8 + header, mapping.size - 8 - header);
    header++;
    memcpy(data, &header, sizeof header);
    write_bytes("damaged", data, mapping.size + 1);
    CHECK(open_status(in_root("damaged"), &error) == WL_ERROR_FORMAT && strstr(error.message, "multiple of"));
    free(data);
    wl_mapping_close(&mapping);
}

static void test_arguments(void)
{
    static const double weights[] = {-1, NAN, INFINITY, 1000.5};
    wl_error error = {0};
    wl_dataset_source source = {write_records("pairs", 100, 2), 0};
    CHECK(!wl_dataset_open(&source, 0, tokenizer, &usual, &error) && error.code == WL_ERROR_ARGUMENT);
    for (size_t batch = 0; batch < 2; batch++) {
        wl_dataset_options options = {.batch = batch};
        CHECK(!wl_dataset_open(&source, 1, tokenizer, &options, &error) && error.code == WL_ERROR_ARGUMENT);
    }
    for (size_t i = 0; i < 4; i++) {
        source.weight = weights[i];
        CHECK(!wl_dataset_open(&source, 1, tokenizer, &usual, &error) && error.code == WL_ERROR_ARGUMENT);
    }
    CHECK(open_status(in_root("nowhere"), &error) == WL_ERROR_NOT_FOUND);
    for (size_t count = 0; count < 2; count++) {
        wl_status status = open_status(write_records("few", count, 2), &error);
        CHECK(status == WL_ERROR_FORMAT && strstr(error.message, count ? "a single record" : "no record"));
    }
    CHECK(open_status(write_records("few", 2, 2), &error) == WL_OK);
    uint64_t huge[] = {UINT64_C(1) << 60, 5};
    double weight[] = {1, 1};
    wl_turns turns;
    CHECK(wl_turns_create(&turns, WL_SAMPLE_PROPORTIONAL, huge, weight, 2, &error) == WL_ERROR_LIMIT);
    wl_turns_free(&turns);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static void test_faults(void)
{
    if (!fault_available()) {
        SKIP("no allocator that fails");
        return;
    }
    char path[256];
    snprintf(path, sizeof path, "%s", write_repeating("repeating", 300));
    const wl_dataset_source sources[] = {{path, 0}, {write_records("pairs", 100, 2), 0}};
    const wl_dataset_options options = {.batch = 16, .unique_texts = true};
    size_t nth = 1;
    for (;; nth++) {
        wl_error error = {0};
        wl_train_batch batch;
        uint64_t epoch;
        fault_begin(nth);
        wl_dataset *dataset = wl_dataset_open(sources, 2, tokenizer, &options, &error);
        wl_status status = dataset ? WL_OK : error.code;
        for (int i = 0; i < 8 && !status; i++) status = wl_dataset_next(dataset, &batch, &epoch, &error);
        if (!status) status = wl_dataset_seek(dataset, 40, &error);
        bool failed = fault_end();
        CHECK_THAT(status == (failed ? WL_ERROR_MEMORY : WL_OK), "%zu: %s", nth, error.message);
        if (dataset) { /* and it can be used again */
            CHECK(!wl_dataset_seek(dataset, 3, &error));
            next(dataset);
        }
        wl_dataset_close(dataset);
        if (!failed) break;
    }
    CHECK_THAT(nth > 20, "%zu", nth);
}

/* Kilobytes of memory that are not files. */
static long anonymous_memory(void)
{
    long size = -1;
    char line[128];
    FILE *file = fopen("/proc/self/status", "r");
    if (!file) return -1;
    while (fgets(line, sizeof line, file))
        if (strncmp(line, "RssAnon:", 8) == 0) size = strtol(line + 8, NULL, 10);
    fclose(file);
    return size;
}

/* Three million records, whose ids are a hole in the file: a permutation or a list of them would be 24 MB. */
static void test_memory(void)
{
    enum { COUNT = 3000000, TOKENS = 32, BLOCK = 4096 };
    static uint64_t values[BLOCK];
    begin_recipe();
    set_tensor(0, "ids", WL_U32, NULL, (uint64_t)COUNT * TOKENS);
    set_tensor(1, "starts", WL_U64, NULL, COUNT + 1);
    set_tensor(2, "records", WL_U64, NULL, COUNT + 1);
    const char *const metadata[][2] = {{"format", made.format}, {"version", made.version}, {"tokenizer", made.digest}};
    wl_error error = {0};
    wl_buffer header = {0};
    CHECK(!wl_safetensors_header(made.tensors, 3, *metadata, 3, &header, &error));
    FILE *file = fopen(in_root("large"), "wb");
    bool written = file && fwrite(header.data, 1, header.size, file) == header.size;
    for (int tensor = 0; tensor < 3 && written; tensor++) {
        uint64_t step = made.tensors[tensor].name[0] == 's' ? TOKENS : 1;
        if (made.tensors[tensor].dtype == WL_U32) {
            written = fseeko(file, (off_t)made.tensors[tensor].bytes, SEEK_CUR) == 0;
            continue;
        }
        for (uint64_t at = 0; at <= COUNT && written; at += BLOCK) {
            size_t count = COUNT + 1 - at < BLOCK ? (size_t)(COUNT + 1 - at) : BLOCK;
            for (size_t i = 0; i < count; i++) values[i] = (at + i) * step;
            written = fwrite(values, sizeof *values, count, file) == count;
        }
    }
    CHECK(written && file && fclose(file) == 0);
    CHECK(truncate(in_root("large"), (off_t)(header.size + 4 * (uint64_t)COUNT * TOKENS + 16 * (COUNT + 1))) == 0);
    wl_buffer_free(&header);
    long before = anonymous_memory();
    wl_dataset_options options = {.batch = 512, .seed = 1};
    wl_dataset *dataset = open_one(in_root("large"), &options);
    CHECK(wl_dataset_records(dataset) == COUNT && wl_dataset_batches(dataset) == COUNT / 512);
    uint64_t sum = 0;
    for (int i = 0; i < 200; i++) sum += next(dataset).numbers[0];
    CHECK(!wl_dataset_seek(dataset, COUNT / 512 - 1, &error));
    sum += next(dataset).numbers[0];
    long after = anonymous_memory();
    CHECK_THAT(sum / 201 > COUNT / 4 && sum / 201 < 3 * (COUNT / 4), "%d", (int)(sum / 201));
    if (before < 0)
        SKIP("/proc/self/status: memory was not measured");
    else
        CHECK_THAT(after - before < 4096, "%ld KB", after - before);
    wl_dataset_close(dataset);
}

/* ---- what wl_prepare writes -------------------------------------------------------------------------------------- */

static void test_prepared(void)
{
    const char *input = put_text("in.jsonl", "{\"anchor\": \"red car\", \"positive\": \"crimson automobile\"}\n"
                                             "{\"anchor\": \"boat\", \"positive\": \"ship\", \"negative\": \"sky\"}\n"
                                             "{\"anchor\": \"hill\", \"positive\": \"mountain\", \"score\": 0.75}\n");
    wl_error error = {0};
    const char *out = in_root("out");
    CHECK_THAT(!wl_prepare(&input, 1, tokenizer, out, NULL, NULL, &error), "%s", error.message);
    wl_dataset_options options = {.batch = 3, .most_tokens = 7};
    wl_dataset *dataset = open_one(out, &options);
    wl_train_batch batch = next(dataset);
    static const char *const expected[3][2] = {{"red car", "crimson"}, {"boat", "ship"}, {"hill", "mountai"}};
    CHECK(batch.records == 3 && batch.sides == 2 && batch.scores);
    for (size_t i = 0; i < 6; i++) {
        char text[16] = "";
        uint64_t number = batch.numbers[i % 3];
        for (uint64_t at = batch.starts[i]; at < batch.starts[i + 1]; at++)
            text[at - batch.starts[i]] = (char)batch.ids[at];
        CHECK_THAT(strcmp(text, expected[number][i / 3]) == 0, "%s", text);
        CHECK(batch.scores && (number == 2 ? batch.scores[i % 3] == 0.75F : isnan(batch.scores[i % 3])));
    }
    wl_dataset_close(dataset);
}

int main(void)
{
    wl_error error = {0};
    if (!mkdtemp(prepare_root)) return EXIT_FAILURE;
    tokenizer = wl_tokenizer_open(put_bytes_tokenizer("tokenizer.json"), &error);
    CHECK_THAT(tokenizer, "%s", error.message);
    if (tokenizer) {
        test_shuffle();
        test_epochs();
        test_small_sources();
        test_sides();
        test_hashes();
        test_unique();
        test_hardly_unique();
        test_one_in_the_way();
        test_sources();
        test_seek();
        test_wrong_values();
        test_wrong_tensors();
        test_wrong_metadata();
        test_damage();
        test_arguments();
        test_faults();
        test_memory();
        test_prepared();
    }
    wl_tokenizer_close(tokenizer);
    wl_remove_tree(prepare_root);
    return test_end();
}
