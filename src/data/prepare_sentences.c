/* Records taken apart: each sentence of each side is a text of its own, for teachers, who say most of short texts. */
#include "algo/sentences.h"
#include "data/prepare.h"
#include "text/unicode/utf8.h"

#include <math.h>

/* The end of the sentence that begins at `at`, which is followed by a space or the end of the text. As `split` has it:
 * at the first space behind a stop, if a capital follows; otherwise the stop is forgotten. White space is folded. */
static size_t find_end(wl_text text, size_t at)
{
    bool stopped = false;
    for (size_t length; at < text.size; at += length) {
        uint32_t point = wl_utf8_decode(text.data + at, &length);
        if (wl_ends_sentence(point)) {
            stopped = true;
        } else if (point == ' ' && stopped) {
            size_t unused;
            if (wl_is_upper(wl_utf8_decode(text.data + at + 1, &unused))) break;
            stopped = false;
        }
    }
    return at;
}

static size_t count_sentences(wl_text text)
{
    size_t count = 0;
    for (size_t at = 0; at < text.size; at = find_end(text, at) + 1) count++;
    return count;
}

static wl_status add_sentence(wl_preparation *this, wl_text sentence)
{
    wl_prepare_batch *batch = &this->batch;
    wl_candidate *candidate = wl_prepare_add(batch, this->error);
    if (!candidate || wl_sides_add(&batch->sides, sentence, this->error)) return this->error->code;
    candidate->score = NAN;
    if (this->options.kept || this->options.removed) {
        wl_json_writer json = {&batch->objects, this->error, WL_OK};
        wl_json_write(&json, "{\"text\": ");
        wl_json_write_string(&json, sentence);
        wl_json_write(&json, "}");
        if (json.status) return json.status;
    }
    wl_prepare_end(batch, candidate);
    return WL_OK;
}

/* At most `most` sentences of a side: where it has more, those in the middle of as many equal parts. An empty side is
 * one sentence. */
static wl_status add_side(wl_preparation *this, wl_text side, size_t most)
{
    size_t count = count_sentences(side), taken = 0, number = 0;
    if (!count) return add_sentence(this, side);
    if (count < most) most = count;
    for (size_t at = 0, end; taken < most; at = end + 1, number++) {
        end = find_end(side, at);
        if (number != (2 * taken + 1) * count / (2 * most)) continue;
        if (add_sentence(this, (wl_text){side.data + at, end - at})) return this->error->code;
        taken++;
    }
    return WL_OK;
}

wl_status wl_prepare_sentences(wl_preparation *this, const wl_records *records)
{
    wl_sides *sides = &this->whole;
    float unused;
    sides->count = sides->bytes.size = 0;
    wl_status status = wl_prepare_sides(records, sides, &unused, this->error);
    for (size_t i = 0, begin = 0; i < sides->count && !status; begin = sides->ends[i++])
        status = add_side(this, (wl_text){sides->bytes.size ? sides->bytes.data + begin : "", sides->ends[i] - begin},
                          this->options.sentences);
    return status;
}
