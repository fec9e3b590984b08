/* realpath belongs to the XSI part of POSIX. */
#define _XOPEN_SOURCE 700

#include "io.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "progress.h"
#include "text/unicode/utf8.h"

enum { LARGE = 1 << 18 };

/* ---- a file that must not stay behind ---------------------------------------------------------------------------- */

/* What a signal handler can reach: no other state of the program. */
enum { MOST_UNFINISHED = 2 };
static char unfinished[MOST_UNFINISHED][4096];
static volatile sig_atomic_t has_unfinished[MOST_UNFINISHED];
static bool pipe_ends; /* writing to a closed pipe ends the program */

static void remove_unfinished(int number)
{
    for (int i = 0; i < MOST_UNFINISHED; i++)
        if (has_unfinished[i]) unlink(unfinished[i]);
    raise(number); /* SA_RESETHAND: the default action ends the program */
}

void install_signal_handlers(void)
{
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
    pipe_ends = signal(SIGPIPE, SIG_IGN) != SIG_IGN;
    for (size_t i = 0; i < sizeof ending / sizeof *ending; i++) {
        struct sigaction action = {.sa_handler = remove_unfinished, .sa_flags = (int)SA_RESETHAND}, before;
        sigemptyset(&action.sa_mask);
        /* What the parent chose to ignore (nohup) stays ignored. */
        if (sigaction(ending[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(ending[i], &action, NULL);
    }
}

void restore_signal_handlers(void)
{
    if (pipe_ends) signal(SIGPIPE, SIG_DFL);
}

/* As other programs do, silently. */
static void end_by_closed_pipe(void)
{
    progress_end();
    signal(SIGPIPE, SIG_DFL);
    remove_unfinished(SIGPIPE);
}

static int add_unfinished(const char *path)
{
    int place = 0;
    while (place < MOST_UNFINISHED && has_unfinished[place]) place++;
    if (place == MOST_UNFINISHED || strlen(path) >= sizeof unfinished[0]) return -1;
    memcpy(unfinished[place], path, strlen(path) + 1);
    has_unfinished[place] = 1;
    return place;
}

static void finish(cli_output *output)
{
    if (output->unfinished >= 0) has_unfinished[output->unfinished] = 0;
    output->unfinished = -1;
}

/* ---- output ------------------------------------------------------------------------------------------------------ */

bool is_standard_output(const char *path)
{
    static const char *const names[] = {"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"};
    for (size_t i = 0; path && i < sizeof names / sizeof *names; i++)
        if (strcmp(path, names[i]) == 0) return true;
    return !path;
}

wl_status output_open(cli_output *output, const char *path, wl_error *error)
{
    *output = (cli_output){.stream = stdout, .name = "standard output", .unfinished = -1};
    if (is_standard_output(path)) return WL_OK;
    output->name = path;
    struct stat info;
    bool exists = stat(path, &info) == 0;
    if (exists && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
        output->stream = fopen(path, "wb");
        return output->stream ? WL_OK : wl_fail_errno(error, path, "write", errno);
    }
    /* A link stays a link: the file that it names is replaced. */
    char *target = exists ? realpath(path, NULL) : NULL;
    wl_status status = wl_replacement_open(&output->file, target ? target : path, error);
    free(target);
    output->replaces = !status;
    output->stream = output->file.stream;
    if (!status) output->unfinished = add_unfinished(output->file.temporary);
    return status;
}

static wl_status fail_write(const cli_output *output, wl_error *error)
{
    int reason = errno;
    if (reason == EPIPE && pipe_ends) end_by_closed_pipe();
    return wl_fail_errno(error, output->name, "write", reason);
}

wl_status output_write(cli_output *output, const void *data, size_t size, wl_error *error)
{
    if (size && fwrite(data, 1, size, output->stream) != size) return fail_write(output, error);
    return WL_OK;
}

wl_status output_drain(cli_output *output, wl_buffer *buffer, bool all, wl_error *error)
{
    if (!all && buffer->size < LARGE) return WL_OK;
    size_t size = buffer->size;
    buffer->size = 0;
    return output_write(output, buffer->data, size, error);
}

wl_status output_flush(cli_output *output, wl_error *error)
{
    return fflush(output->stream) ? fail_write(output, error) : WL_OK;
}

wl_status output_close(cli_output *output, wl_error *error)
{
    FILE *stream = output->stream;
    output->stream = NULL;
    if (!output->replaces) return fclose(stream) ? fail_write(output, error) : WL_OK;
    output->replaces = false;
    wl_status status = wl_replacement_commit(&output->file, error);
    finish(output);
    return status;
}

void output_abandon(cli_output *output)
{
    if (output->replaces)
        wl_replacement_abandon(&output->file);
    else if (output->stream && output->stream != stdout)
        fclose(output->stream);
    if (output->stream || output->replaces) finish(output);
    *output = (cli_output){0};
}

wl_status print_all(const wl_buffer *buffer, wl_error *error)
{
    cli_output output;
    if (output_open(&output, NULL, error) || output_write(&output, buffer->data, buffer->size, error))
        return error->code;
    return output_close(&output, error);
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

wl_status append_format_list(wl_buffer *buffer, wl_error *error, const char *format, va_list arguments)
{
    char text[4001];
    int length = vsnprintf(text, sizeof text, format, arguments);
    if (length < 0 || (size_t)length >= sizeof text) length = (int)sizeof text - 1;
    return wl_buffer_append(buffer, text, (size_t)length, error);
}

wl_status append_format(wl_buffer *buffer, wl_error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    wl_status status = append_format_list(buffer, error, format, arguments);
    va_end(arguments);
    return status;
}

wl_status append_unsigned(wl_buffer *buffer, uint64_t number, wl_error *error)
{
    char digits[20];
    size_t at = sizeof digits;
    do digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    return wl_buffer_append(buffer, digits + at, sizeof digits - at, error);
}

static wl_status append_escaped(wl_buffer *buffer, wl_text text, wl_error *error)
{
    /* Six bytes for each, "\u001f", is the most it can take. */
    if (text.size > SIZE_MAX / 6 - 2) return wl_fail_memory(error, SIZE_MAX);
    if (wl_buffer_reserve(buffer, text.size + text.size / 8 + 16, error)) return error->code;
    static const char shorts[32] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    size_t done = 0;
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        char escape[8];
        int length = c >= 0x20   ? snprintf(escape, sizeof escape, "\\%c", c)
                     : shorts[c] ? snprintf(escape, sizeof escape, "\\%c", shorts[c])
                                 : snprintf(escape, sizeof escape, "\\u%04x", c);
        if (wl_buffer_append(buffer, text.data + done, i - done, error) ||
            wl_buffer_append(buffer, escape, (size_t)length, error))
            return error->code;
        done = i + 1;
    }
    return wl_buffer_append(buffer, text.data + done, text.size - done, error);
}

wl_status append_json(wl_buffer *buffer, wl_text text, wl_error *error)
{
    wl_buffer repaired = {0};
    uint64_t replaced = 0;
    wl_status status = WL_OK;
    if (text.size && wl_utf8_valid(text.data, text.size) != text.size) {
        status = wl_utf8_repair(text.data, text.size, &repaired, &replaced, error);
        text = (wl_text){repaired.data, repaired.size};
    }
    if (!text.data) text = (wl_text){"", 0};
    if (!status) status = wl_buffer_append(buffer, "\"", 1, error);
    if (!status) status = append_escaped(buffer, text, error);
    if (!status) status = wl_buffer_append(buffer, "\"", 1, error);
    wl_buffer_free(&repaired);
    return status;
}

wl_status append_score(wl_buffer *buffer, double score, wl_error *error)
{
    return append_format(buffer, error, "%.6f", fabs(score) < 5e-7 ? 0 : score);
}

wl_status append_line(wl_buffer *buffer, wl_text line, wl_error *error)
{
    wl_status status = wl_buffer_append(buffer, line.data, line.size, error);
    return status ? status : wl_buffer_append(buffer, "\n", 1, error);
}

wl_status append_flat(wl_buffer *buffer, wl_text text, wl_error *error)
{
    size_t begin = buffer->size;
    if (wl_buffer_append(buffer, text.data, text.size, error)) return error->code;
    for (char *c = buffer->data + begin; text.size--; c++)
        if (*c == '\n' || *c == '\r' || *c == '\t') *c = ' ';
    return WL_OK;
}

wl_status append_record(wl_buffer *buffer, wl_text record, wl_error *error)
{
    static const char name[] = ", \"record\": ";
    if (!record.data) return WL_OK;
    wl_status status = wl_buffer_append(buffer, name, sizeof name - 1, error);
    return status ? status : wl_buffer_append(buffer, record.data, record.size, error);
}

wl_status append_match(wl_buffer *buffer, double score, wl_text text, wl_error *error)
{
    wl_status status = append_score(buffer, score, error);
    if (!status) status = wl_buffer_append(buffer, "\t", 1, error);
    if (!status) status = append_flat(buffer, text, error);
    return status ? status : wl_buffer_append(buffer, "\n", 1, error);
}

wl_status append_match_object(wl_buffer *buffer, double score, uint64_t index, wl_text text, wl_text record,
                              wl_error *error)
{
    wl_status status = append_format(buffer, error, "{\"score\": ");
    if (!status) status = append_score(buffer, score, error);
    if (!status) status = append_format(buffer, error, ", \"index\": %" PRIu64 ", \"text\": ", index);
    if (!status) status = append_json(buffer, text, error);
    if (!status) status = append_record(buffer, record, error);
    return status ? status : append_format(buffer, error, "}");
}

/* Between 1e-4 and 1e8 nine digits never need more than twelve decimals, and a float (24 bits) times 10^12 (5^12 has 28
 * bits) fits a double's 53: the product is exact, so rounding it to an integer rounds as printf does. */
size_t format_float(char out[NUMBER_SIZE], float value)
{
    static const double power[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12};
    double size = fabs((double)value);
    char *at = out;
    if (size * power[12] < 1e8 || !(size < 1e8)) {
        if (value == 0 && !signbit(value)) return *at = '0', 1;
        int length = snprintf(out, NUMBER_SIZE, "%.9g", (double)value);
        return length > 0 ? (size_t)length : 0;
    }
    int decimals = 12;
    while (size * power[decimals] >= 1e9) decimals--;
    int64_t digits = llrint(size * power[decimals]), unit = (int64_t)power[decimals];
    if (value < 0) *at++ = '-';
    int64_t whole = digits / unit, fraction = digits % unit;
    char reversed[NUMBER_SIZE];
    size_t count = 0;
    do reversed[count++] = (char)('0' + whole % 10);
    while ((whole /= 10) > 0);
    while (count) *at++ = reversed[--count];
    if (!fraction) return (size_t)(at - out);
    *at++ = '.';
    for (unit /= 10; fraction; unit /= 10) {
        *at++ = (char)('0' + fraction / unit);
        fraction %= unit;
    }
    return (size_t)(at - out);
}
