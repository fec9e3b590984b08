#include "train/stop_words.h"

#include <stdio.h>
#include <string.h>

#include "train/projector.h"

/* The word and the marks of a space that tokenizers put in front: none, sentencepiece's U+2581, U+0120, which stands
 * for the space in the alphabet of byte-level BPE, and the space itself. */
static const char *const marks[] = {"", "\xE2\x96\x81", "\xC4\xA0", " "};

enum { MARKS = sizeof marks / sizeof *marks, LONGEST = 64 };

void wl_stop_word_starts(const wl_tokenizer *tokenizer, const char *const *words, float weight, bool bare_only,
                         float *starts, size_t rows)
{
    for (size_t i = 0; i < rows; i++) starts[i] = 1;
    for (const char *const *word = words ? words : wl_stop_words; *word; word++)
        for (size_t mark = 0; strlen(*word) > 1 && mark < (bare_only ? 1 : MARKS); mark++) {
            char piece[LONGEST];
            uint32_t id;
            int size = snprintf(piece, sizeof piece, "%s%s", marks[mark], *word);
            if (size >= LONGEST) continue;
            if (wl_tokenizer_id(tokenizer, (wl_text){piece, (size_t)size}, &id) && id < rows) starts[id] = weight;
        }
}
