/* The format is that of numpy.lib.format: the bytes 93 "NUMPY", two of version, the length of the header in 2 bytes
 * (version 1) or 4, little-endian, then the header: a Python dictionary with the keys descr, fortran_order and shape,
 * each once, padded with spaces and ended by a line break. Only what that dictionary may be is read of Python. */
#include "format/npy_read.h"

#include <inttypes.h>
#include <string.h>

#include "format/json.h"

enum { MAGIC = 6, VERSION = 8 };
static const char magic[MAGIC] = {'\x93', 'N', 'U', 'M', 'P', 'Y'};

enum { DESCR, ORDER, SHAPE, KEYS };
static const char *const keys[KEYS] = {"descr", "fortran_order", "shape"};
static const struct {
    const char *name;
    wl_dtype dtype;
} types[] = {{"<f4", WL_F32}, {"<f2", WL_F16}};

typedef struct cursor {
    const char *data, *path;
    size_t at, end;
    wl_error *error;
    bool failed; /* then nothing is read any more */
} cursor;

static void fail(cursor *this, wl_status code, const char *expected)
{
    if (!this->failed) wl_fail_at(this->error, code, this->path, this->at, 0, "expected %s", expected);
    this->failed = true;
}

static void skip_spaces(cursor *this)
{
    while (this->at < this->end && strchr(" \t\r\n", this->data[this->at]) && this->data[this->at]) this->at++;
}

/* Whether the character comes next, which is read then. */
static bool take(cursor *this, char wanted)
{
    skip_spaces(this);
    if (this->failed || this->at == this->end || this->data[this->at] != wanted) return false;
    this->at++;
    return true;
}

static void expect(cursor *this, char wanted)
{
    char text[] = {'\'', wanted, '\'', 0};
    if (!take(this, wanted)) fail(this, WL_ERROR_FORMAT, text);
}

/* A string in quotes of either kind; an escape in it makes one that is not known. */
static wl_text read_string(cursor *this)
{
    char quote = take(this, '"') ? '"' : '\'';
    if (quote == '\'' && !take(this, quote)) fail(this, WL_ERROR_FORMAT, "a string");
    size_t begin = this->at;
    while (this->at < this->end && this->data[this->at] != quote) this->at++;
    wl_text text = {this->data + begin, this->at - begin};
    expect(this, quote);
    return text;
}

static uint64_t read_number(cursor *this)
{
    uint64_t value = 0;
    skip_spaces(this);
    size_t begin = this->at;
    for (; this->at < this->end && this->data[this->at] >= '0' && this->data[this->at] <= '9'; this->at++) {
        uint64_t digit = (uint64_t)(this->data[this->at] - '0');
        if (value > (INT64_MAX - digit) / 10) fail(this, WL_ERROR_FORMAT, "a length below 2^63");
        if (this->failed) return 0;
        value = value * 10 + digit;
    }
    if (this->at == begin) fail(this, WL_ERROR_FORMAT, "a length");
    return value;
}

static void read_type(cursor *this, wl_npy_array *array)
{
    size_t begin = this->at;
    wl_text name = {NULL, 0};
    if (take(this, '[')) /* a record's fields */
        this->at = begin;
    else
        name = read_string(this);
    for (size_t i = 0; i < sizeof types / sizeof *types && !this->failed; i++)
        if (wl_text_is(name, types[i].name)) {
            array->dtype = types[i].dtype;
            return;
        }
    if (!this->failed) this->at = begin;
    fail(this, WL_ERROR_UNSUPPORTED, "the type '<f4' or '<f2'");
}

static void read_order(cursor *this)
{
    static const char falsehood[] = "False", truth[] = "True";
    skip_spaces(this);
    size_t left = this->end - this->at;
    if (left >= sizeof falsehood - 1 && memcmp(this->data + this->at, falsehood, sizeof falsehood - 1) == 0)
        this->at += sizeof falsehood - 1;
    else if (left >= sizeof truth - 1 && memcmp(this->data + this->at, truth, sizeof truth - 1) == 0)
        fail(this, WL_ERROR_UNSUPPORTED, "an array in C order, not in Fortran's");
    else
        fail(this, WL_ERROR_FORMAT, "True or False");
}

static void read_shape(cursor *this, wl_npy_array *array)
{
    uint64_t lengths[2] = {0};
    size_t count = 0;
    expect(this, '(');
    size_t begin = this->at;
    while (!this->failed && !take(this, ')')) {
        uint64_t length = read_number(this);
        if (count < 2) lengths[count] = length;
        count++;
        if (take(this, ',')) continue;
        expect(this, ')');
        break;
    }
    if (!this->failed && count != 2) {
        this->at = begin;
        fail(this, WL_ERROR_UNSUPPORTED, "an array of 2 dimensions");
    }
    array->rows = lengths[0];
    array->columns = lengths[1];
}

static void read_member(cursor *this, wl_npy_array *array, bool seen[KEYS])
{
    size_t begin = this->at, key = 0;
    wl_text name = read_string(this);
    while (key < KEYS && !wl_text_is(name, keys[key])) key++;
    if (!this->failed && (key == KEYS || seen[key])) {
        this->at = begin;
        fail(this, WL_ERROR_FORMAT, "the keys descr, fortran_order and shape, each once");
    }
    expect(this, ':');
    if (this->failed) return;
    seen[key] = true;
    if (key == DESCR) read_type(this, array);
    if (key == ORDER) read_order(this);
    if (key == SHAPE) read_shape(this, array);
}

static void read_header(cursor *this, wl_npy_array *array)
{
    bool seen[KEYS] = {false};
    expect(this, '{');
    while (!this->failed && !take(this, '}')) {
        read_member(this, array, seen);
        if (take(this, ',')) continue;
        expect(this, '}');
        break;
    }
    for (size_t i = 0; i < KEYS; i++)
        if (!seen[i]) fail(this, WL_ERROR_FORMAT, "the keys descr, fortran_order and shape");
    skip_spaces(this);
    if (this->at < this->end) fail(this, WL_ERROR_FORMAT, "nothing but spaces behind the header");
}

bool wl_npy_is(const char *data, size_t size)
{
    return size >= MAGIC && memcmp(data, magic, MAGIC) == 0;
}

wl_status wl_npy_read(const char *data, size_t size, const char *path, wl_npy_array *array, wl_error *error)
{
    *array = (wl_npy_array){0};
    if (!wl_npy_is(data, size))
        return wl_fail_at(error, WL_ERROR_FORMAT, path, 0, 0, "expected a .npy, which begins with 93 \"NUMPY\"");
    unsigned version = size > MAGIC ? (unsigned char)data[MAGIC] : 0;
    size_t begin = VERSION + (version == 1 ? 2 : 4), length = 0;
    if (size < begin)
        return wl_fail_at(error, WL_ERROR_FORMAT, path, size, 0, "the file ends at byte %zu, in its header", size);
    if (version < 1 || version > 3 || data[MAGIC + 1])
        return wl_fail_at(error, WL_ERROR_UNSUPPORTED, path, MAGIC, 0, "format version %u.%u, expected 1.0 to 3.0",
                          version, (unsigned)(unsigned char)data[MAGIC + 1]);
    for (size_t i = begin; i-- > VERSION;) length = length << 8 | (unsigned char)data[i];
    if (length > size - begin)
        return wl_fail_at(error, WL_ERROR_FORMAT, path, size, 0,
                          "the file ends at byte %zu, expected a header up to byte %zu", size, begin + length);
    cursor this = {data, path, begin, begin + length, error, false};
    read_header(&this, array);
    if (this.failed) return error->code;
    array->offset = begin + length;
    uint64_t element = wl_dtype_size(array->dtype), left = size - array->offset;
    bool fits = !array->columns || array->rows <= UINT64_MAX / element / array->columns;
    if (!fits || array->rows * array->columns * element != left)
        return wl_fail_at(error, WL_ERROR_FORMAT, path, size, 0,
                          "%" PRIu64 " bytes behind the header, expected %" PRIu64 " x %" PRIu64 " numbers of %" PRIu64
                          " bytes",
                          left, array->rows, array->columns, element);
    return WL_OK;
}
