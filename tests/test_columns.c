/* Rows of Arrow's C stream as lines of JSON: batches made by hand, with offsets and missing values as Arrow allows. */
#include "data/columns.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "fault.h"
#include "test.h"

/* ---- a stream of two batches ------------------------------------------------------------------------------------- */

static int released, left, fails_at;

static void release_schema(struct ArrowSchema *schema)
{
    schema->release = NULL;
    released++;
}

static void release_array(struct ArrowArray *array)
{
    array->release = NULL;
    released++;
}

static void release_stream(struct ArrowArrayStream *stream)
{
    stream->release = NULL;
    released++;
}

static struct ArrowSchema element = {.format = "u", .name = "item"};
static struct ArrowSchema *list_children[] = {&element};
static struct ArrowSchema fields[] = {
    {.format = "u", .name = "anchor"},
    {.format = "g", .name = "score"},
    {.format = "i", .name = "\"label\""},
    {.format = "+l", .name = "negatives", .n_children = 1, .children = list_children},
    {.format = "b", .name = "flag"},
    {.format = "s", .name = "category", .dictionary = &element},
    {.format = "tdD", .name = "a date, which is left out"},
};
enum { FIELDS = sizeof fields / sizeof *fields };
static struct ArrowSchema *field_pointers[FIELDS];

/* Three texts; the array below begins at the second value, so there are "is", "" and a missing one. */
static const char texts[] = "this\"\xFFx";
static const int32_t text_offsets[] = {0, 2, 4, 4, 7, 7};
static const uint8_t text_bits[] = {0x07}; /* the first three are there */
static const void *text_buffers[] = {text_bits, text_offsets, texts};
static const double scores[] = {0.5, NAN, -1e300};
static const void *score_buffers[] = {NULL, scores};
static const int32_t labels[] = {-7, 0, 2000000000};
static const void *label_buffers[] = {NULL, labels};
static const void *element_buffers[] = {NULL, text_offsets, texts};
static const int32_t list_offsets[] = {0, 2, 2, 4};
static const void *list_buffers[] = {NULL, list_offsets};
static const uint8_t flag_bits[] = {0x05};
static const void *flag_buffers[] = {NULL, flag_bits};
static struct ArrowArray element_array = {.length = 5, .buffers = element_buffers};
static struct ArrowArray *element_pointers[] = {&element_array};
static const int16_t indices[] = {1, 3, 0};
static const void *index_buffers[] = {NULL, indices};
static struct ArrowArray arrays[FIELDS] = {
    {.length = 3, .null_count = 1, .offset = 1, .buffers = text_buffers},
    {.length = 3, .buffers = score_buffers},
    {.length = 3, .buffers = label_buffers},
    {.length = 3, .buffers = list_buffers, .n_children = 1, .children = element_pointers},
    {.length = 3, .buffers = flag_buffers},
    {.length = 3, .buffers = index_buffers, .dictionary = &element_array},
    {.length = 3},
};
static struct ArrowArray *array_pointers[FIELDS];

static const char expected[] = "{\"anchor\":\"is\",\"score\":0.5,\"\\\"label\\\"\":-7,\"negatives\":[\"th\",\"is\"],"
                               "\"flag\":true,\"category\":\"is\"}\n"
                               "{\"anchor\":\"\",\"score\":null,\"\\\"label\\\"\":0,\"negatives\":[],\"flag\":false,"
                               "\"category\":\"\\\"\xEF\xBF\xBDx\"}\n"
                               "{\"anchor\":null,\"score\":-1e+300,\"\\\"label\\\"\":2000000000,"
                               "\"negatives\":[\"\",\"\\\"\xEF\xBF\xBDx\"],\"flag\":true,\"category\":\"th\"}\n";

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    (void)stream;
    if (fails_at == 1) return EIO;
    for (int i = 0; i < FIELDS; i++) field_pointers[i] = &fields[i];
    *out = (struct ArrowSchema){.format = fails_at == 2 ? "u" : "+s",
                                .n_children = FIELDS,
                                .children = field_pointers,
                                .release = release_schema};
    return 0;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    (void)stream;
    if (fails_at == 3 && left == 1) return EIO;
    for (int i = 0; i < FIELDS; i++) array_pointers[i] = &arrays[i];
    *out = (struct ArrowArray){0};
    if (left-- > 0)
        *out = (struct ArrowArray){
            .length = 3, .n_children = FIELDS, .children = array_pointers, .release = release_array};
    return 0;
}

static const char *last_error(struct ArrowArrayStream *stream)
{
    (void)stream;
    return "the disk is wet";
}

static wl_columns begin(int batches, int failure)
{
    left = batches;
    fails_at = failure;
    released = 0;
    return (wl_columns){.stream = {get_schema, get_next, last_error, release_stream, NULL}};
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

static void test_rows(void)
{
    wl_error error;
    for (size_t bytes = 1; bytes < 1000; bytes += 99) { /* however few rows are asked for at a time */
        wl_columns columns = begin(2, 0);
        wl_buffer out = {0};
        CHECK(wl_columns_open(&columns, "made.parquet", &error) == WL_OK);
        size_t before;
        do {
            before = out.size;
            CHECK(wl_columns_append(&columns, bytes, &out, &error) == WL_OK);
        } while (out.size > before);
        size_t size = strlen(expected);
        CHECK(out.size == 2 * size && memcmp(out.data, expected, size) == 0 &&
              memcmp(out.data + size, expected, size) == 0);
        wl_columns_close(&columns);
        CHECK(released == 4); /* schema, two batches, stream */
        wl_buffer_free(&out);
    }
}

static void test_refusals(void)
{
    wl_error error;
    wl_buffer out = {0};
    wl_columns columns = begin(2, 1);
    CHECK(wl_columns_open(&columns, "made.parquet", &error) == WL_ERROR_FORMAT && strstr(error.message, "is wet"));
    wl_columns_close(&columns);
    columns = begin(2, 2);
    CHECK(wl_columns_open(&columns, "made.parquet", &error) == WL_ERROR_FORMAT && strstr(error.message, "no rows"));
    wl_columns_close(&columns);
    columns = begin(2, 3);
    CHECK(wl_columns_open(&columns, "made.parquet", &error) == WL_OK);
    CHECK(wl_columns_append(&columns, 10000, &out, &error) == WL_ERROR_FORMAT && strstr(error.message, "is wet"));
    CHECK(strcmp(error.file, "made.parquet") == 0);
    wl_columns_close(&columns);
    wl_buffer_free(&out);
}

static void test_faults(void)
{
    if (!fault_available()) return;
    for (size_t nth = 1;; nth++) {
        wl_error error;
        wl_buffer out = {0};
        wl_columns columns = begin(1, 0);
        fault_begin(nth);
        wl_status status = wl_columns_open(&columns, "made.parquet", &error);
        if (!status) status = wl_columns_append(&columns, 10000, &out, &error);
        bool failed = fault_end();
        CHECK(status == (failed ? WL_ERROR_MEMORY : WL_OK));
        wl_columns_close(&columns);
        wl_buffer_free(&out);
        if (!failed) break;
    }
}

int main(void)
{
    test_rows();
    test_refusals();
    test_faults();
    return test_end();
}
