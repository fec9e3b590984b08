/* Codebooks: written row by row, read by blocks, put side by side, aligned. */
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "codebooks.h"
#include "extract/codebook.h"
#include "extract/token_text.h"
#include "fault.h"
#include "format/half.h"
#include "format/safetensors_write.h"

static char notes[2048];

static void note(void *user, const char *text)
{
    (void)user;
    size_t used = strlen(notes);
    snprintf(notes + used, sizeof notes - used, "%s\n", text);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static void test_writer(void)
{
    static const float rows[] = {1, -0.0f, 1.0009765625f * 1.00048828125f, 65504, 1e-8f, -3.25f, NAN, INFINITY};
    static const char *const metadata[] = {"source", "a \"name\"", "dims", "4"};
    wl_codebook_writer writer;
    wl_error error = {0};
    for (int kind = WL_STORE_F16; kind <= WL_STORE_F32; kind++) {
        const char *path = in_root("written.safetensors");
        CHECK(!wl_codebook_writer_open(&writer, path, 2, 4, (wl_stored_as)kind, metadata, 2, &error));
        CHECK(!wl_path_exists(path)); /* not before it is whole */
        CHECK(!wl_codebook_writer_rows(&writer, rows, 1, &error) &&
              !wl_codebook_writer_rows(&writer, rows + 4, 1, &error));
        CHECK(wl_codebook_writer_rows(&writer, rows, 1, &error) == WL_ERROR_ARGUMENT); /* one too many */
        CHECK(!wl_codebook_writer_commit(&writer, &error));
        size_t count, dim;
        float *read = read_table(path, &count, &dim);
        CHECK(read && count == 2 && dim == 4);
        for (size_t i = 0; read && i < 8; i++) {
            float expected = kind == WL_STORE_F16    ? wl_f16_to_f32(wl_f32_to_f16(rows[i]))
                             : kind == WL_STORE_BF16 ? wl_bf16_to_f32(wl_f32_to_bf16(rows[i]))
                                                     : rows[i];
            CHECK(isnan(expected) ? isnan(read[i]) : memcmp(&expected, &read[i], 4) == 0);
        }
        free(read);
        CHECK(unlink(path) == 0);
    }
}

static void test_writer_failures(void)
{
    static const float large[] = {1, 2, 3, 70000};
    wl_codebook_writer writer;
    wl_error error = {0};
    const char *path = in_root("kept.safetensors");
    put_text("kept.safetensors", "old");
    /* A number that the type cannot hold. */
    CHECK(!wl_codebook_writer_open(&writer, path, 2, 2, WL_STORE_F16, NULL, 0, &error));
    CHECK(wl_codebook_writer_rows(&writer, large, 2, &error) == WL_ERROR_LIMIT);
    CHECK_THAT(strstr(error.message, "row 1, column 1 is 70000") != NULL, "%s", error.message);
    wl_codebook_writer_abandon(&writer);
    wl_codebook_writer_abandon(&writer);
    /* Too few rows. */
    CHECK(!wl_codebook_writer_open(&writer, path, 3, 2, WL_STORE_F32, NULL, 0, &error));
    CHECK(!wl_codebook_writer_rows(&writer, large, 2, &error));
    CHECK(wl_codebook_writer_commit(&writer, &error) == WL_ERROR_ARGUMENT);
    /* Shapes that are none, a folder that is not there, a folder as a file. */
    CHECK(wl_codebook_writer_open(&writer, path, 0, 2, WL_STORE_F32, NULL, 0, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_codebook_writer_open(&writer, path, 2, 0, WL_STORE_F32, NULL, 0, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_codebook_writer_open(&writer, path, UINT64_MAX / 2, 9, WL_STORE_F32, NULL, 0, &error) ==
          WL_ERROR_ARGUMENT);
    CHECK(wl_codebook_writer_open(&writer, path, 1, 1, (wl_stored_as)7, NULL, 0, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_codebook_writer_open(&writer, in_root("no/x"), 1, 1, WL_STORE_F32, NULL, 0, &error) == WL_ERROR_NOT_FOUND);
    CHECK(wl_codebook_writer_open(&writer, codebook_root, 1, 1, WL_STORE_F32, NULL, 0, &error) == WL_ERROR_IO);
    wl_mapping mapping;
    CHECK(!wl_mapping_open(&mapping, path, &error) && mapping.size == 3); /* untouched by all that */
    wl_mapping_close(&mapping);
    CHECK(unlink(path) == 0);
}

static void test_tokenizer_files(void)
{
    char written[WL_TOKENIZER_PATH];
    wl_error error = {0};
    const char *book = in_root("book.safetensors");
    CHECK(!wl_codebook_write_tokenizer(book, "{1}", 3, written, &error));
    CHECK(strcmp(written, in_root("tokenizer.json")) == 0);
    CHECK(!wl_codebook_write_tokenizer(book, "{1}", 3, written, &error)); /* the same once more */
    CHECK(strcmp(written, in_root("tokenizer.json")) == 0);
    /* Another's is left alone. */
    CHECK(!wl_codebook_write_tokenizer(book, "{22}", 4, written, &error));
    CHECK(strcmp(written, in_root("book.tokenizer.json")) == 0);
    /* Its own comes first, where it is there. */
    CHECK(!wl_codebook_write_tokenizer(book, "{1}", 3, written, &error));
    CHECK(strcmp(written, in_root("book.tokenizer.json")) == 0);
    CHECK(same_files(in_root("book.tokenizer.json"), in_root("tokenizer.json")));
    CHECK(wl_codebook_write_tokenizer(in_root("no/x.safetensors"), "{}", 2, written, &error) == WL_ERROR_NOT_FOUND);
    CHECK(unlink(in_root("book.tokenizer.json")) == 0 && unlink(in_root("tokenizer.json")) == 0);
}

/* A disk that is full while rows are written: in a child, since the limit is the process's. */
static void test_full_disk(void)
{
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {100000, 100000};
        wl_concat_options options = {.size = sizeof options, .threads = 1};
        const char *source = in_root("full_source.safetensors");
        wl_error error = {0};
        signal(SIGXFSZ, SIG_IGN);
        bool good = setrlimit(RLIMIT_FSIZE, &limit) == 0 &&
                    wl_concat(&source, 1, in_root("full.safetensors"), &options, NULL, NULL, &error) == WL_ERROR_IO &&
                    !wl_path_exists(in_root("full.safetensors"));
        _exit(good ? 0 : 1);
    }
    int status = 1;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* A safetensors file with one tensor. */
static void put_tensor(const char *name, const char *tensor, const char *dtype, const char *shape, const void *data,
                       size_t size)
{
    char header[512];
    int length = snprintf(header, sizeof header, "{\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[0,%zu]}}",
                          tensor, dtype, shape, size);
    uint64_t length64 = (uint64_t)length;
    FILE *file = fopen(in_root(name), "wb");
    CHECK(file && fwrite(&length64, 8, 1, file) == 1 && fwrite(header, (size_t)length, 1, file) == 1);
    CHECK(file && fwrite(data, 1, size, file) == size);
    if (file) CHECK(fclose(file) == 0);
}

static void test_reading(void)
{
    static const double wide[] = {1.5, -2, 0.1, 1e-3};
    static const signed char bytes[] = {-128, 127, 0, 5};
    static const float with_nan[] = {1, 2, 3, 4, 5, NAN};
    wl_error error = {0};
    float out[8];
    wl_pool *pool = wl_codebook_pool(2, &error);
    put_tensor("wide.safetensors", "embedding.weight", "F64", "[2,2]", wide, sizeof wide);
    put_tensor("bytes.safetensors", "embeddings", "I8", "[1,4]", bytes, sizeof bytes);
    put_tensor("nan.safetensors", "embedding.weight", "F32", "[3,2]", with_nan, sizeof with_nan);
    wl_codebook *codebook = wl_codebook_open(in_root("wide.safetensors"), NULL, &error);
    CHECK(codebook && codebook->rows == 2 && codebook->dim == 2 && !wl_codebook_tokenizer(codebook));
    CHECK(codebook && !wl_codebook_read(codebook, pool, 0, 2, NULL, out, &error));
    for (size_t i = 0; i < 4; i++) CHECK(out[i] == (float)wide[i]);
    wl_codebook_close(codebook);
    codebook = wl_codebook_open(in_root("bytes.safetensors"), NULL, &error);
    CHECK(codebook && !wl_codebook_read(codebook, pool, 0, 1, NULL, out, &error));
    for (size_t i = 0; i < 4; i++) CHECK(out[i] == (float)bytes[i]);
    wl_codebook_close(codebook);
    /* A NaN is named by its row, column and byte. */
    codebook = wl_codebook_open(in_root("nan.safetensors"), NULL, &error);
    CHECK(codebook && wl_codebook_read(codebook, pool, 1, 2, NULL, out, &error) == WL_ERROR_FORMAT);
    CHECK_THAT(strstr(error.message, "row 2 (no token), column 1") != NULL, "%s", error.message);
    CHECK(error.byte + 4 == codebook->file.mapping.size);
    wl_inspection found;
    CHECK(wl_codebook_inspect(codebook, NULL, &found, &error) == WL_ERROR_FORMAT);
    wl_inspection_free(&found);
    wl_codebook_close(codebook);
    wl_pool_free(pool);
}

/* A finished model's rows count times their weights: a table of I8 has its scales there. */
static void test_weights(void)
{
    static const int8_t numbers[3][2] = {{1, -2}, {100, 127}, {-128, 0}};
    static const float weights[3] = {0.5F, 2, 0.25F};
    static const char *const names[] = {"good", "short", "wrong"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char table_name[] = "embedding.weight", weight_name[] = "weights", file[64];
        wl_tensor tensors[2] = {
            {.name = table_name,
             .dtype = WL_I8,
             .rank = 2,
             .shape = {3, 2},
             .count = 6,
             .data = (const char *)numbers,
             .bytes = 6},
            {.name = weight_name,
             .dtype = WL_F32,
             .rank = 1,
             .shape = {3},
             .count = 3,
             .data = (const char *)weights,
             .bytes = 12},
        };
        if (i == 1) tensors[1].shape[0] = tensors[1].count = 2, tensors[1].bytes = 8;
        if (i == 2) tensors[1].dtype = WL_U32;
        wl_buffer header = {0};
        wl_error error;
        snprintf(file, sizeof file, "weights/%s.safetensors", names[i]);
        mkdir(in_root("weights"), 0777);
        CHECK(wl_safetensors_header(tensors, 2, NULL, 0, &header, &error) == WL_OK);
        CHECK(wl_safetensors_write(in_root(file), &header, tensors, 2, &error) == WL_OK);
        wl_buffer_free(&header);
        wl_codebook *codebook = wl_codebook_open(in_root(file), NULL, &error);
        if (i) CHECK(!codebook && error.code == WL_ERROR_FORMAT && strstr(error.message, "weights"));
        if (i || !codebook) continue;
        float row[2];
        for (size_t j = 0; j < 3; j++) {
            wl_codebook_floats(codebook, j, row);
            CHECK(row[0] == (float)numbers[j][0] * weights[j] && row[1] == (float)numbers[j][1] * weights[j]);
        }
        wl_codebook_close(codebook);
    }
}

static void test_bad_files(void)
{
    static const float numbers[4] = {0};
    static const struct {
        const char *tensor, *dtype, *shape;
        size_t size;
        wl_status status;
        const char *message;
    } bad[] = {
        {"other", "F32", "[2,2]", 16, WL_ERROR_FORMAT, "no tensor 'embedding.weight'"},
        {"embedding.weight", "F32", "[4]", 16, WL_ERROR_FORMAT, "rank 1"},
        {"embedding.weight", "F32", "[0,4]", 0, WL_ERROR_FORMAT, "rows and columns"},
        {"embedding.weight", "F32", "[4,0]", 0, WL_ERROR_FORMAT, "rows and columns"},
        {"embedding.weight", "I32", "[2,2]", 16, WL_ERROR_FORMAT, "type I32"},
    };
    wl_error error;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put_tensor("bad.safetensors", bad[i].tensor, bad[i].dtype, bad[i].shape, numbers, bad[i].size);
        CHECK(!wl_codebook_open(in_root("bad.safetensors"), NULL, &error));
        CHECK_THAT(error.code == bad[i].status && strstr(error.message, bad[i].message), "%zu: %s", i, error.message);
    }
    CHECK(!wl_codebook_open(in_root("nosuch"), NULL, &error) && error.code == WL_ERROR_NOT_FOUND);
    CHECK(!wl_codebook_open(NULL, NULL, &error) && error.code == WL_ERROR_ARGUMENT);
    put_tensor("bad.safetensors", "embedding.weight", "F32", "[2,2]", numbers, sizeof numbers);
    CHECK(!wl_codebook_open(in_root("bad.safetensors"), in_root("nosuch.json"), &error));
    CHECK(error.code == WL_ERROR_NOT_FOUND);
}

/* ---- side by side ------------------------------------------------------------------------------------------------ */

enum { WORDS = 30 };

static void make_sources(void)
{
    float *rows = random_rows((size_t)(WORDS + 6) * 7, 1);
    rows[8] = -0.0f;
    put_table("a.safetensors", rows, WORDS, 7, WL_STORE_F16);
    put_table("c.safetensors", rows, WORDS + 6, 3, WL_STORE_F32);
    for (size_t i = 0; i < 5; i++) rows[i] = 0; /* a zero row */
    put_table("b.safetensors", rows, WORDS, 5, WL_STORE_BF16);
    free(rows);
    put_words("tokenizer.json", WORDS, 0);
    put_words("c.tokenizer.json", WORDS, 4); /* 4 added tokens and 2 rows of padding */
}

static void test_side_by_side(void)
{
    make_sources();
    const char *const sources[] = {in_root("a.safetensors"), in_root("b.safetensors"), in_root("c.safetensors")};
    const char *path = in_root("abc.safetensors");
    wl_concat_options options = {.size = sizeof options, .stored_as = WL_STORE_F32, .threads = 2, .message = note};
    wl_concat_source found[3];
    wl_concatenated result;
    wl_error error = {0};
    *notes = 0;
    CHECK_THAT(!wl_concat(sources, 3, path, &options, found, &result, &error), "%s", error.message);
    CHECK(result.rows == WORDS && result.dim == 15 && strcmp(result.tokenizer, in_root("tokenizer.json")) == 0);
    CHECK(found[2].dropped == 6 && found[0].dropped == 0 && found[1].matched == WORDS && found[1].factor == 1);
    CHECK_THAT(strstr(notes, "the last 6 of 36 rows") != NULL, "%s", notes);
    size_t rows, dim, column = 0;
    float *out = read_table(path, &rows, &dim);
    for (size_t s = 0; s < 3 && out; s++) {
        float *source = read_table(sources[s], &rows, &dim);
        for (size_t i = 0; i < WORDS; i++)
            CHECK(memcmp(source + i * dim, out + i * 15 + column, dim * sizeof *out) == 0);
        column += dim;
        free(source);
    }
    free(out);
    /* The same bytes for any number of threads. */
    options.threads = 1;
    CHECK(!wl_concat(sources, 3, in_root("again.safetensors"), &options, NULL, NULL, &error));
    CHECK(same_files(path, in_root("again.safetensors")));
    wl_model *model = wl_model_open(path, NULL, &error);
    CHECK_THAT(model != NULL, "%s", error.message);
    wl_model_close(model);
}

static void test_scales(void)
{
    const char *const sources[] = {in_root("a.safetensors"), in_root("b.safetensors")};
    static const wl_scale each[] = {WL_SCALE_VARIANCE, WL_SCALE_NORM};
    wl_concat_options options = {.size = sizeof options, .stored_as = WL_STORE_F32, .scales = each, .scale_count = 2};
    wl_concat_source found[2];
    wl_error error = {0};
    CHECK(!wl_concat(sources, 2, in_root("scaled.safetensors"), &options, found, NULL, &error));
    size_t rows, dim;
    float *out = read_table(in_root("scaled.safetensors"), &rows, &dim);
    CHECK(out && rows == WORDS && dim == 12);
    double sum = 0, squares = 0;
    for (size_t i = 0; out && i < WORDS; i++) {
        double norm = 0;
        for (size_t j = 0; j < 7; j++) sum += (double)out[i * 12 + j];
        for (size_t j = 7; j < 12; j++) norm += (double)out[i * 12 + j] * (double)out[i * 12 + j];
        CHECK_THAT(i ? fabs(norm - 1) < 1e-6 : norm == 0, "row %zu: %g", i, norm);
    }
    double mean = sum / (WORDS * 7);
    for (size_t i = 0; out && i < WORDS * 7; i++) {
        double apart = (double)out[i / 7 * 12 + i % 7] - mean;
        squares += apart * apart;
    }
    CHECK_THAT(fabs(squares / (WORDS * 7) - 1) < 1e-6, "variance %g", squares / (WORDS * 7));
    CHECK(found[0].factor > 0.8 && found[0].factor < 1.2 && found[1].factor == 1);
    free(out);
    options.scale_count = 1; /* one for all */
    CHECK(!wl_concat(sources, 2, in_root("scaled.safetensors"), &options, found, NULL, &error));
    CHECK(found[0].factor != 1 && found[1].factor != 1);
}

static wl_status concat_two(const char *a, const char *b, const char *out, wl_error *error)
{
    const char *const sources[] = {in_root(a), in_root(b)};
    return wl_concat(sources, 2, in_root(out), NULL, NULL, NULL, error);
}

static void test_vocabularies(void)
{
    wl_error error = {0};
    /* Another word in the middle. */
    put_text("d.tokenizer.json", "{\"version\":\"1.0\",\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"t0\":0,\"t1\":1,"
                                 "\"x\":2,\"t3\":3},\"unk_token\":\"t0\"}}");
    put_words("e.tokenizer.json", 4, 0);
    put_words("f.tokenizer.json", 5, 0);
    put_words("g.tokenizer.json", 4, 2);
    static const float rows[12] = {0};
    put_table("d.safetensors", rows, 4, 1, WL_STORE_F16);
    put_table("e.safetensors", rows, 4, 1, WL_STORE_F16);
    put_table("f.safetensors", rows, 5, 1, WL_STORE_F16);
    put_table("g.safetensors", rows, 6, 1, WL_STORE_F16);
    CHECK(concat_two("e.safetensors", "d.safetensors", "x.safetensors", &error) == WL_ERROR_MISMATCH);
    CHECK_THAT(strstr(error.message, "id 2 is 'x'") && strstr(error.message, "it is 't2'") &&
                   strstr(error.message, "--align") && strstr(error.file, "d.safetensors"),
               "%s: %s", error.file, error.message);
    /* A word that the shorter one lacks; added tokens may be missing. */
    CHECK(concat_two("f.safetensors", "e.safetensors", "x.safetensors", &error) == WL_ERROR_MISMATCH);
    CHECK_THAT(strstr(error.message, "4 rows") && strstr(error.message, "goes on with 't4'"), "%s", error.message);
    CHECK(!wl_path_exists(in_root("x.safetensors")));
    CHECK_THAT(!concat_two("g.safetensors", "e.safetensors", "x.safetensors", &error), "%s", error.message);
    size_t count = 0, dim = 0;
    free(read_table(in_root("x.safetensors"), &count, &dim));
    CHECK(count == 4 && dim == 2);
    CHECK(same_files(in_root("x.tokenizer.json"), in_root("e.tokenizer.json")));
}

static void test_refused(void)
{
    const char *const sources[] = {in_root("a.safetensors"), in_root("b.safetensors")};
    static const wl_scale three[] = {WL_SCALE_NONE, WL_SCALE_NONE, WL_SCALE_NONE}, wrong[] = {(wl_scale)9};
    wl_concat_options options = {.size = sizeof options, .scales = three, .scale_count = 3};
    const char *path = in_root("refused.safetensors");
    wl_error error = {0};
    CHECK(wl_concat(sources, 2, path, &options, NULL, NULL, &error) == WL_ERROR_ARGUMENT);
    options.scales = wrong, options.scale_count = 1;
    CHECK(wl_concat(sources, 2, path, &options, NULL, NULL, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_concat(sources, 0, path, NULL, NULL, NULL, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_concat(sources, 2, NULL, NULL, NULL, NULL, &error) == WL_ERROR_ARGUMENT);
    /* A source is never the target. */
    CHECK(link(sources[1], in_root("b_too.safetensors")) == 0);
    CHECK(wl_concat(sources, 2, in_root("b_too.safetensors"), NULL, NULL, NULL, &error) == WL_ERROR_ARGUMENT);
    CHECK(same_files(sources[1], in_root("b_too.safetensors")));
    /* Numbers that are not finite, with the token. */
    static const float bad[] = {1, 2, INFINITY, 4}, equal[] = {2, 2, 2, 2};
    put_words("h.tokenizer.json", 4, 0);
    put_table("h.safetensors", bad, 4, 1, WL_STORE_F32);
    const char *h = in_root("h.safetensors");
    CHECK(wl_concat(&h, 1, path, NULL, NULL, NULL, &error) == WL_ERROR_FORMAT);
    CHECK_THAT(strstr(error.message, "row 2 (t2), column 0") != NULL, "%s", error.message);
    put_table("h.safetensors", equal, 4, 1, WL_STORE_F32);
    options = (wl_concat_options){.size = sizeof options, .scales = (wl_scale[]){WL_SCALE_VARIANCE}, .scale_count = 1};
    CHECK(wl_concat(&h, 1, path, &options, NULL, NULL, &error) == WL_ERROR_ARGUMENT);
    CHECK_THAT(strstr(error.message, "no variance") != NULL, "%s", error.message);
    /* No tokenizer; one of another size. */
    CHECK(mkdir(in_root("bare"), 0755) == 0);
    put_table("bare/x.safetensors", bad, 2, 1, WL_STORE_F32);
    const char *bare = in_root("bare/x.safetensors");
    CHECK(wl_concat(&bare, 1, path, NULL, NULL, NULL, &error) == WL_ERROR_NOT_FOUND);
    put_words("bare/tokenizer.json", 1027, 0);
    CHECK(wl_concat(&bare, 1, path, NULL, NULL, NULL, &error) == WL_ERROR_MISMATCH);
    CHECK(wl_concat(sources, 2, in_root("no/x.safetensors"), NULL, NULL, NULL, &error) == WL_ERROR_NOT_FOUND);
    CHECK(!wl_path_exists(path));
}

static bool stop(void *user, const char *file, uint64_t done, uint64_t total)
{
    (void)user;
    return file && done > total;
}

static void test_cancelled(void)
{
    const char *const sources[] = {in_root("a.safetensors")};
    wl_concat_options options = {.size = sizeof options, .progress = stop};
    wl_error error = {0};
    CHECK(wl_concat(sources, 1, in_root("stopped.safetensors"), &options, NULL, NULL, &error) == WL_ERROR_CANCELLED);
    CHECK(!wl_path_exists(in_root("stopped.safetensors")));
}

/* ---- tokens of different kinds ----------------------------------------------------------------------------------- */

#define SPECIAL(id, content)                                                                                           \
    "{\"id\":" #id ",\"content\":\"" content "\",\"special\":true,\"single_word\":false,\"lstrip\":false,"             \
    "\"rstrip\":false,\"normalized\":false}"

/* Llama's way: a mark for the space, put in front of a text; bytes by their number. */
static const char marked[] =
    "{\"version\":\"1.0\",\"added_tokens\":[" SPECIAL(0, "<unk>") "," SPECIAL(1, "<s>") "," SPECIAL(
        2,
        "</s>") "],"
                "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Prepend\",\"prepend\":\"\u2581\"},"
                "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"\u2581\"}]},"
                "\"decoder\":{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Replace\",\"pattern\":{\"String\":"
                "\"\u2581\"},\"content\":\" \"},{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"}]},"
                "\"model\":{\"type\":\"BPE\",\"unk_token\":\"<unk>\",\"byte_fallback\":true,\"fuse_unk\":true,"
                "\"vocab\":{\"<unk>\":0,\"<s>\":1,\"</s>\":2,\"<0x0A>\":3,\"<0x61>\":4,\"\u2581\":5,\"a\":6,\"b\":7,"
                "\"c\":8,\"ab\":9,\"\u2581a\":10,\"\u2581ab\":11,\"\u00E9\":12,\"<0xC3>\":13,\"<0xA9>\":14},"
                "\"merges\":[\"a b\",\"\u2581 ab\",\"\u2581 a\"]}}";

/* GPT-2's way: characters that stand for bytes. */
static const char byte_level[] = "{\"version\":\"1.0\",\"added_tokens\":[" SPECIAL(
    9,
    "<|endoftext|>") "],\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":"
                     "true,\"use_regex\":true},\"decoder\":{\"type\":\"ByteLevel\",\"add_prefix_space\":true,"
                     "\"trim_offsets\":true,\"use_regex\":true},\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,"
                     "\"b\":1,\"c\":2,\"\u0120\":3,\"\u010A\":4,\"ab\":5,\"\u0120ab\":6,\"\u00C3\":7,\"\u00A9\":8,"
                     "\"<|endoftext|>\":9,\"abc\":10,\"\u00C3\u00A9\":11},\"merges\":[\"a b\",\"\u0120 ab\",\"ab c\","
                     "\"\u00C3 \u00A9\"]}}";

/* BERT's way: what goes on a word is marked. */
static const char pieces[] =
    "{\"version\":\"1.0\",\"added_tokens\":[" SPECIAL(0, "[UNK]") "," SPECIAL(1, "[CLS]") "," SPECIAL(
        2,
        "[SEP]") "],\"normalizer\":{\"type\":\"BertNormalizer\",\"clean_text\":true,\"handle_chinese_chars\":true,"
                 "\"strip_accents\":null,\"lowercase\":true},\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},"
                 "\"decoder\":{\"type\":\"WordPiece\",\"prefix\":\"##\",\"cleanup\":true},\"model\":{\"type\":"
                 "\"WordPiece\",\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":\"##\","
                 "\"max_input_chars_per_word\":100,\"vocab\":{\"[UNK]\":0,\"[CLS]\":1,\"[SEP]\":2,\"ab\":3,\"##c\":4,"
                 "\"a\":5,\",\":6,\"##ab\":7,\"##b\":8,\"\u4E2D\":9}}}";

static void test_token_texts(void)
{
    static const struct {
        const char *json;
        uint32_t id;
        wl_token_kind kind;
        const char *text;
    } cases[] = {
        {marked, 0, WL_TOKEN_SPECIAL, "<unk>"},
        {marked, 4, WL_TOKEN_BYTE, "a"},
        {marked, 5, WL_TOKEN_TEXT, " "},
        {marked, 11, WL_TOKEN_TEXT, " ab"},
        {marked, 12, WL_TOKEN_TEXT, "\u00E9"},
        {marked, 13, WL_TOKEN_BYTE, "\xC3"},
        {marked, 99, WL_TOKEN_NONE, ""},
        {byte_level, 3, WL_TOKEN_TEXT, " "},
        {byte_level, 4, WL_TOKEN_TEXT, "\n"},
        {byte_level, 6, WL_TOKEN_TEXT, " ab"},
        {byte_level, 7, WL_TOKEN_TEXT, "\xC3"},
        {byte_level, 11, WL_TOKEN_TEXT, "\u00E9"},
        {byte_level, 9, WL_TOKEN_SPECIAL, "<|endoftext|>"},
        {pieces, 3, WL_TOKEN_TEXT, " ab"},
        {pieces, 4, WL_TOKEN_TEXT, "c"},
        {pieces, 6, WL_TOKEN_TEXT, ","},
        {pieces, 9, WL_TOKEN_TEXT, "\u4E2D"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wl_error error = {0};
        wl_buffer text = {0};
        wl_token_kind kind = WL_TOKEN_NONE;
        wl_tokenizer *tokenizer = wl_tokenizer_parse(cases[i].json, strlen(cases[i].json), NULL, &error);
        CHECK_THAT(tokenizer != NULL, "%zu: %s", i, error.message);
        if (!tokenizer) continue;
        wl_spelling spelling = wl_spelling_of(tokenizer);
        CHECK(!wl_token_text(&spelling, cases[i].id, &text, &kind, &error));
        CHECK_THAT(kind == cases[i].kind && text.size == strlen(cases[i].text) &&
                       (!text.size || memcmp(text.data, cases[i].text, text.size) == 0),
                   "%zu: kind %d, '%.*s'", i, (int)kind, (int)text.size, text.data);
        wl_buffer_free(&text);
        wl_tokenizer_close(tokenizer);
    }
}

/* A codebook whose row t is (t + 1, 10 (t + 1)), of so many rows. */
static void put_numbered(const char *name, const char *tokenizer_name, const char *json, size_t rows)
{
    float numbers[2 * 32];
    for (size_t i = 0; i < rows; i++) numbers[2 * i] = (float)(i + 1), numbers[2 * i + 1] = 10 * (float)(i + 1);
    put_table(name, numbers, rows, 2, WL_STORE_F32);
    put_text(tokenizer_name, json);
}

/* The numbers of the rows of which a token's is the mean; 0 ends the list. */
typedef struct expected_rows {
    uint32_t token, rows[3];
} expected_rows;

static void check_aligned(const char *target, const char *source, const expected_rows *expected, size_t count,
                          uint64_t matched, uint64_t averaged, uint64_t missing)
{
    const char *const sources[] = {in_root(target), in_root(source)};
    const char *path = in_root("aligned.safetensors");
    wl_concat_options options = {.size = sizeof options, .align = true, .stored_as = WL_STORE_F32};
    wl_concat_source found[2];
    wl_concatenated result;
    wl_error error = {0};
    CHECK_THAT(!wl_concat(sources, 2, path, &options, found, &result, &error), "%s", error.message);
    CHECK_THAT(found[1].matched == matched && found[1].averaged == averaged && found[1].missing == missing,
               "%s in %s: %d matched, %d averaged, %d missing", target, source, (int)found[1].matched,
               (int)found[1].averaged, (int)found[1].missing);
    size_t rows, dim;
    float *out = read_table(path, &rows, &dim);
    CHECK(out && dim == 4 && result.dim == 4 && rows == result.rows && rows == found[0].matched);
    for (size_t i = 0; out && i < rows; i++)
        CHECK(out[4 * i] == (float)(i + 1) && out[4 * i + 1] == 10 * (float)(i + 1));
    for (size_t i = 0; out && i < count; i++) {
        double sum = 0, of = 0;
        for (size_t j = 0; j < 3 && expected[i].rows[j]; j++) sum += expected[i].rows[j], of++;
        float mean = of > 0 ? (float)(sum / of) : 0;
        const float *row = out + (size_t)4 * expected[i].token + 2;
        CHECK_THAT(row[0] == mean && fabsf(row[1] - 10 * mean) < 1e-4f, "%s in %s: token %u is %g, expected %g", target,
                   source, expected[i].token, (double)row[0], (double)mean);
    }
    free(out);
    CHECK(unlink(path) == 0);
}

static void test_aligned(void)
{
    CHECK(mkdir(in_root("tokens"), 0755) == 0);
    put_numbered("tokens/marked.safetensors", "tokens/marked.tokenizer.json", marked, 15);
    put_numbered("tokens/bytes.safetensors", "tokens/bytes.tokenizer.json", byte_level, 12);
    put_numbered("tokens/pieces.safetensors", "tokens/pieces.tokenizer.json", pieces, 10);
    /* Rows are numbered from 1. By the text: " ab" (7), "a" for the byte a, too; by the use: </s> is <|endoftext|>, and
     * <s> and <unk> are not known there: their characters have no tokens but a and b. "\u2581a" is " " and "a". The
     * bytes of e acute are single tokens there. */
    static const expected_rows in_bytes[] = {
        {2, {10}},    {3, {5}},  {4, {1}},   {5, {4}},  {6, {1}},  {9, {6}},
        {10, {4, 1}}, {11, {7}}, {12, {12}}, {13, {8}}, {14, {9}},
    };
    check_aligned("tokens/marked.safetensors", "tokens/bytes.safetensors", in_bytes, sizeof in_bytes / sizeof *in_bytes,
                  12, 1, 2);
    /* "abc" is "ab" and "c", going on a word. Bytes that are no character are found by their number. */
    static const expected_rows in_marked[] = {
        {0, {7}}, {3, {6}}, {4, {4}}, {5, {10}}, {6, {12}}, {7, {14}}, {8, {15}}, {9, {3}}, {10, {10, 9}}, {11, {13}},
    };
    check_aligned("tokens/bytes.safetensors", "tokens/marked.safetensors", in_marked,
                  sizeof in_marked / sizeof *in_marked, 11, 1, 0);
    /* The start of a word and what goes it on are told apart; [CLS] begins, [SEP] ends. The comma is a word by itself
     * that the other lacks, as does the Chinese character: nothing, for what is unknown does not count. */
    static const expected_rows words_in_marked[] = {
        {0, {1}}, {1, {2}}, {2, {3}}, {3, {12}}, {4, {9}}, {5, {11}}, {6, {0}}, {7, {10}}, {8, {8}}, {9, {0}},
    };
    check_aligned("tokens/pieces.safetensors", "tokens/marked.safetensors", words_in_marked,
                  sizeof words_in_marked / sizeof *words_in_marked, 8, 0, 2);
    static const expected_rows marked_in_words[] = {
        {0, {1}}, {1, {2}}, {2, {3}}, {3, {0}}, {6, {6}}, {7, {9}}, {8, {5}}, {9, {8}}, {10, {6}}, {11, {4}},
    };
    check_aligned("tokens/marked.safetensors", "tokens/pieces.safetensors", marked_in_words,
                  sizeof marked_in_words / sizeof *marked_in_words, 8, 2, 5);
    static const expected_rows same[] = {{0, {1}}, {7, {8}}, {14, {15}}};
    check_aligned("tokens/marked.safetensors", "tokens/marked.safetensors", same, 3, 15, 0, 0);
}

/* ---- names and neighbours ---------------------------------------------------------------------------------------- */

static void test_find(void)
{
    static const struct {
        const char *name;
        int row; /* -1: none */
    } cases[] = {{" ab", 11},
                 {"\u2581ab", 11},
                 {"a", 6},
                 {"#4", 4},
                 {"12", 12},
                 {"<0x61>", 4},
                 {"\n", 3},
                 {"\xC3", 13},
                 {"15", -1},
                 {"#15", -1},
                 {"zz", -1},
                 {"", -1},
                 {"99999999999999999999999", -1}};
    wl_error error = {0};
    uint32_t row;
    wl_codebook *codebook = wl_codebook_open(in_root("tokens/marked.safetensors"), NULL, &error);
    CHECK(codebook != NULL);
    for (size_t i = 0; codebook && i < sizeof cases / sizeof *cases; i++) {
        wl_status status = wl_codebook_find(codebook, (wl_text){cases[i].name, strlen(cases[i].name)}, &row, &error);
        CHECK_THAT(cases[i].row < 0 ? status == WL_ERROR_NOT_FOUND : !status && row == (uint32_t)cases[i].row,
                   "'%s': %u", cases[i].name, row);
    }
    wl_codebook_close(codebook);
}

static void test_neighbours(void)
{
    enum { ROWS = 500, DIM = 9, TOP = 12 };
    float *rows = random_rows((size_t)ROWS * DIM, 5);
    memset(rows + 3 * DIM, 0, DIM * sizeof *rows);
    put_table("near.safetensors", rows, ROWS, DIM, WL_STORE_F32);
    wl_error error = {0};
    wl_codebook *codebook = wl_codebook_open(in_root("near.safetensors"), in_root("tokenizer.json"), &error);
    wl_match out[ROWS], expected[ROWS];
    size_t count;
    for (uint32_t query = 0; codebook && query < 6; query++) {
        size_t kept = 0;
        for (size_t i = 0; i < ROWS; i++)
            if (i != query) expected[kept++] = (wl_match){i, wl_cosine(rows + query * DIM, rows + i * DIM, DIM)};
        wl_sort_matches(expected, kept);
        CHECK(!wl_codebook_neighbours(codebook, query, TOP, 1 + query % 3, out, &count, &error) && count == TOP);
        for (size_t i = 0; i < TOP; i++) CHECK(out[i].index == expected[i].index && out[i].score == expected[i].score);
    }
    CHECK(!wl_codebook_neighbours(codebook, 0, ROWS, 0, out, &count, &error) && count == ROWS - 1);
    CHECK(wl_codebook_neighbours(codebook, ROWS, 1, 0, out, &count, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_codebook_neighbours(codebook, 0, 0, 0, out, &count, &error) == WL_ERROR_ARGUMENT);
    wl_codebook_close(codebook);
    free(rows);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static void test_faults(void)
{
    const char *const sources[] = {in_root("tokens/marked.safetensors"), in_root("tokens/bytes.safetensors")};
    static const wl_scale each[] = {WL_SCALE_VARIANCE, WL_SCALE_NORM};
    wl_concat_options options = {.size = sizeof options, .align = true, .scales = each, .scale_count = 2, .threads = 1};
    const char *path = in_root("faulty.safetensors"), *expected = in_root("expected.safetensors");
    wl_error error = {0};
    if (!fault_available()) {
        SKIP("failing allocations: linked without --wrap");
        return;
    }
    CHECK(!wl_concat(sources, 2, expected, &options, NULL, NULL, &error));
    size_t nth = 1;
    for (;; nth++) {
        unlink(path);
        error.code = WL_OK;
        fault_begin(nth);
        wl_status status = wl_concat(sources, 2, path, &options, NULL, NULL, &error);
        if (!fault_end()) {
            CHECK_THAT(!status, "%s", error.message);
            break;
        }
        CHECK_THAT(status == WL_ERROR_MEMORY || !status, "allocation %zu: %s", nth, error.message);
        CHECK(status ? !wl_path_exists(path) : same_files(path, expected));
    }
    CHECK_THAT(nth > 60, "%zu allocations", nth);
    printf("concat: %zu allocations made to fail\n", nth - 1);
}

static void test_large_source(void)
{
    float *rows = random_rows((size_t)WORDS * 4000, 9);
    put_table("full_source.safetensors", rows, WORDS, 4000, WL_STORE_F16);
    free(rows);
    test_full_disk();
}

int main(void)
{
    if (!mkdtemp(codebook_root)) return EXIT_FAILURE;
    test_writer();
    test_writer_failures();
    test_tokenizer_files();
    test_reading();
    test_weights();
    test_bad_files();
    test_side_by_side();
    test_scales();
    test_vocabularies();
    test_refused();
    test_cancelled();
    test_large_source();
    test_token_texts();
    test_aligned();
    test_find();
    test_neighbours();
    test_faults();
    remove_root();
    return test_end();
}
