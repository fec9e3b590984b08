/* Between the files of this folder: each kind of step cuts one piece at a time. */
#ifndef WL_TEXT_PRETOKENIZE_CUT_H
#define WL_TEXT_PRETOKENIZE_CUT_H

#include "text/pretokenize/pretokenize.h"

/* A piece cut at delimiters: told in order of everything in it, delimiter or not, it adds the pieces that a behavior
 * makes of that. Zero-initialized but for the first two. */
typedef struct wl_cutter {
    wl_split_behavior behavior;
    wl_pieces *pieces;
    bool pending, delimiter; /* a part that the next may join, and what the last part was */
    size_t begin, end;
} wl_cutter;

wl_status wl_cutter_add(wl_cutter *cutter, size_t begin, size_t end, bool delimiter, wl_error *error);
wl_status wl_cutter_end(wl_cutter *cutter, wl_error *error);

/* Cuts text[begin, end) of a string into pieces. (split.c, characters.c) */
wl_status wl_cut_pattern(const wl_pretokenizer *step, const char *text, size_t begin, size_t end, wl_pieces *pieces,
                         wl_error *error);
wl_status wl_cut_characters(const wl_pretokenizer *step, const char *text, size_t begin, size_t end, wl_pieces *pieces,
                            wl_error *error);

/* Appends the rewritten piece to out and cuts it. (metaspace.c, byte_level.c) */
wl_status wl_rewrite_metaspace(const wl_pretokenizer *step, const wl_string *in, size_t begin, size_t end,
                               wl_string *out, wl_pieces *pieces, wl_error *error);
wl_status wl_rewrite_prefix(const wl_string *in, size_t begin, size_t end, wl_string *out, wl_pieces *pieces,
                            wl_error *error);
wl_status wl_rewrite_bytes(const wl_string *in, size_t begin, size_t end, wl_string *out, wl_pieces *pieces,
                           wl_error *error);

#endif
