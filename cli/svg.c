#include "svg.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "io.h"
#include "text/unicode/utf8.h"

static const double ELLIPSIS = 1; /* ems */

static void put(svg_picture *picture, const char *data, size_t size)
{
    if (!picture->failed) picture->failed = wl_buffer_append(&picture->out, data, size, picture->error) != WL_OK;
}

void svg_put(svg_picture *picture, const char *format, ...)
{
    if (picture->failed) return;
    va_list arguments;
    va_start(arguments, format);
    picture->failed = append_format_list(&picture->out, picture->error, format, arguments) != WL_OK;
    va_end(arguments);
}

void svg_begin(svg_picture *picture, double width, double height, const char *title, wl_error *error)
{
    *picture = (svg_picture){.error = error};
    svg_put(picture,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" width=\"%g\" height=\"%g\" role=\"img\" "
            "font-family=\"system-ui, 'Segoe UI', 'Helvetica Neue', 'Noto Sans', Arial, sans-serif\">\n",
            width, height, width, height);
    svg_put(picture, "<title>%s</title>\n<style>\n", title);
    svg_put(picture,
            ".paper{fill:#fff}.panel{fill:#f5f6f8}.ink{fill:#1d2129}.quiet{fill:#626b7a}\n@media(prefers-color-scheme:"
            "dark){.paper{fill:#14171c}.panel{fill:#1c2027}.ink{fill:#e9ecf1}.quiet{fill:#99a2b1}}\n</style>\n");
    svg_put(picture, "<rect class=\"paper\" width=\"%g\" height=\"%g\"/>\n", width, height);
    svg_put(picture, "<text class=\"ink\" x=\"24\" y=\"40\" font-size=\"19\" font-weight=\"600\">%s</text>\n", title);
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

/* Width in ems, for a wide one among the usual fonts (DejaVu Sans), since it is not known which one there is. */
static double width_of(uint32_t point)
{
    static const struct {
        const char *letters;
        double width;
    } letters[] = {{" !'(),-./:;I[\\]`fijlrt|", 0.42}, {"@%MWmw", 1}, {"ABCDEFGHJKLNOPQRSTUVXYZ#&+<=>~", 0.84}};
    static const struct {
        uint32_t first, last;
        double width;
    } ranges[] = {{0x80, 0x24F, 0.9},  {0x300, 0x36F, 0},    {0x1F000, 0x1FAFF, 1.4}, {0x1100, 0x115F, 1},
                  {0x2E80, 0xA4CF, 1}, {0xAC00, 0xD7A3, 1},  {0xF900, 0xFAFF, 1},     {0xFE30, 0xFE6F, 1},
                  {0xFF00, 0xFFE6, 1}, {0x20000, 0x3FFFD, 1}};
    if (point < 0x80) {
        for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
            if (point && strchr(letters[i].letters, (int)point)) return letters[i].width;
        return 0.64;
    }
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (point >= ranges[i].first && point <= ranges[i].last) return ranges[i].width;
    return 1.1;
}

/* Where a text is to be cut so that it and an ellipsis are no wider than most; its size where it fits. *width: of what
 * is left. The text is well-formed. */
static size_t find_cut(wl_text text, double most, double *width)
{
    double used = 0, kept = 0;
    size_t cut = 0, length;
    for (size_t at = 0; at < text.size; at += length) {
        used += width_of(wl_utf8_decode(text.data + at, &length));
        if (used > most) return *width = kept + ELLIPSIS, cut;
        if (used + ELLIPSIS <= most) cut = at + length, kept = used;
    }
    return *width = used, text.size;
}

/* The start of a text, well-formed, that is surely as long as what is shown of it, but where most is combining marks.
 */
static wl_status repair_start(wl_text text, double most, wl_buffer *out, wl_error *error)
{
    enum { BYTES = 16 }; /* for each em */
    uint64_t replaced;
    if ((double)text.size > BYTES * most) text.size = (size_t)(BYTES * most);
    return wl_utf8_repair(text.data ? text.data : "", text.size, out, &replaced, error);
}

double svg_text_width(wl_text text, double most)
{
    wl_buffer start = {0};
    wl_error error;
    double width = most;
    if (!repair_start(text, most, &start, &error)) (void)find_cut((wl_text){start.data, start.size}, most, &width);
    wl_buffer_free(&start);
    return width;
}

/* What XML 1.0 cannot hold becomes U+FFFD. */
static void put_character(svg_picture *picture, const char *at, size_t length, uint32_t point)
{
    if (point == '&')
        svg_put(picture, "&amp;");
    else if (point == '<')
        svg_put(picture, "&lt;");
    else if (point == '>')
        svg_put(picture, "&gt;");
    else if (point == '\t' || point == '\n' || point == '\r')
        svg_put(picture, " ");
    else if (point < 0x20 || point == 0xFFFE || point == 0xFFFF)
        svg_put(picture, "\xEF\xBF\xBD");
    else
        put(picture, at, length);
}

void svg_put_text(svg_picture *picture, wl_text text, double most)
{
    wl_buffer start = {0};
    double width;
    if (!picture->failed) picture->failed = repair_start(text, most, &start, picture->error) != WL_OK;
    size_t cut = find_cut((wl_text){start.data, start.size}, most, &width), length;
    for (size_t at = 0; at < cut; at += length) {
        uint32_t point = wl_utf8_decode(start.data + at, &length);
        put_character(picture, start.data + at, length, point);
    }
    if (cut < start.size) svg_put(picture, "\xE2\x80\xA6");
    wl_buffer_free(&start);
}

wl_status svg_end(svg_picture *picture, const char *path)
{
    cli_output output = {0};
    wl_error *error = picture->error;
    svg_put(picture, "</svg>\n");
    wl_status status = picture->failed ? error->code : output_open(&output, path, error);
    if (!status) status = output_write(&output, picture->out.data, picture->out.size, error);
    if (!status) status = output_close(&output, error);
    output_abandon(&output);
    wl_buffer_free(&picture->out);
    return status;
}

/* ---- colours ----------------------------------------------------------------------------------------------------- */

/* One channel of a colour of that hue (degrees), saturation 0.6 and lightness. */
static unsigned channel(double hue, double lightness, double shift)
{
    double place = fmod(shift + hue / 30, 12), strength = 0.6 * fmin(lightness, 1 - lightness);
    double value = lightness - strength * fmax(-1, fmin(fmin(place - 3, 9 - place), 1));
    return (unsigned)lround(255 * value);
}

svg_colour svg_colour_of(size_t number)
{
    static const svg_colour first[] = {{66, 105, 208},  {239, 177, 24},  {255, 114, 92}, {60, 169, 81},
                                       {164, 99, 242},  {255, 138, 183}, {74, 186, 196}, {156, 107, 78},
                                       {151, 187, 245}, {139, 145, 157}};
    if (number < sizeof first / sizeof *first) return first[number];
    /* The golden angle keeps hues apart however many there are. */
    double hue = fmod((double)number * 137.508, 360), lightness = number % 2 ? 0.62 : 0.5;
    return (svg_colour){channel(hue, lightness, 0), channel(hue, lightness, 8), channel(hue, lightness, 4)};
}
