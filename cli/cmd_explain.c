#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "io.h"
#include "models.h"
#include "read.h"

typedef struct cli_explanation {
    const wl_tokenizer *tokenizer;
    wl_text texts[2];
    wl_contribution *tokens[2];
    size_t counts[2];
    float score;
} cli_explanation;

static wl_status find_shares(const cli_session *session, cli_explanation *explanation, int which, wl_error *error)
{
    wl_text a = explanation->texts[which], b = explanation->texts[!which];
    size_t *count = &explanation->counts[which], capacity = 0;
    void *tokens = NULL;
    wl_status status;
    do {
        status = wl_reserve(&tokens, &capacity, *count + 64, sizeof(wl_contribution), error);
        explanation->tokens[which] = tokens;
        if (status) return status;
        status = wl_explain(session->model, session->context, a, b, session->options.dim, tokens, capacity, count,
                            &explanation->score, error);
    } while (status == WL_ERROR_LIMIT && *count > capacity);
    return status;
}

/* ---- a table, for programs --------------------------------------------------------------------------------------- */

/* An empty line, then a line "piece<TAB>share" for each token, in the order of the text. */
static wl_status print_table(wl_buffer *out, const cli_explanation *explanation, int which, wl_error *error)
{
    wl_status status = wl_buffer_append(out, "\n", 1, error);
    for (size_t i = 0; i < explanation->counts[which] && !status; i++) {
        wl_contribution token = explanation->tokens[which][i];
        wl_text piece = wl_tokenizer_piece(explanation->tokenizer, token.id);
        status = append_flat(out, piece, error);
        if (!status) status = wl_buffer_append(out, "\t", 1, error);
        if (!status) status = append_score(out, (double)token.share, error);
        if (!status) status = wl_buffer_append(out, "\n", 1, error);
    }
    return status;
}

static wl_status print_json(wl_buffer *out, const cli_explanation *explanation, int which, wl_error *error)
{
    wl_status status = append_format(out, error, ", \"%c\": {\"text\": ", "ab"[which]);
    if (!status) status = append_json(out, explanation->texts[which], error);
    if (!status) status = append_format(out, error, ", \"tokens\": [");
    for (size_t i = 0; i < explanation->counts[which] && !status; i++) {
        wl_contribution token = explanation->tokens[which][i];
        status = append_format(out, error, "%s{\"id\": %" PRIu32 ", \"piece\": ", i ? ", " : "", token.id);
        if (!status) status = append_json(out, wl_tokenizer_piece(explanation->tokenizer, token.id), error);
        if (!status)
            status = append_format(out, error,
                                   ", \"begin\": %" PRIu32 ", \"end\": %" PRIu32 ", \"share\": ", token.span.begin,
                                   token.span.end);
        if (!status) status = append_score(out, (double)token.share, error);
        if (!status) status = wl_buffer_append(out, "}", 1, error);
    }
    return status ? status : append_format(out, error, "]}");
}

/* ---- colours, for eyes ------------------------------------------------------------------------------------------- */

/* Of the 256 colours of terminals, for black text on them, from weak to strong: blues for what adds, oranges for what
 * takes away. Nearly everyone can tell the two apart. */
enum { STRENGTHS = 5 };
static const int colours[2][STRENGTHS] = {{195, 153, 117, 75, 39}, {230, 223, 216, 209, 202}};

static double largest_share(const cli_explanation *explanation)
{
    double largest = 0;
    for (int which = 0; which < 2; which++)
        for (size_t i = 0; i < explanation->counts[which]; i++)
            largest = fmax(largest, fabs((double)explanation->tokens[which][i].share));
    return largest;
}

static wl_status print_coloured(wl_buffer *out, const cli_explanation *explanation, int which, double largest,
                                wl_error *error)
{
    wl_text text = explanation->texts[which];
    size_t printed = 0, next; /* bytes of the text */
    wl_status status = WL_OK;
    for (size_t i = 0; i < explanation->counts[which] && !status; i = next) {
        wl_contribution token = explanation->tokens[which][i];
        double share = (double)token.share;
        /* The bytes of one character are tokens that share its place. */
        for (next = i + 1; next < explanation->counts[which]; next++) {
            wl_contribution other = explanation->tokens[which][next];
            if (other.span.begin != token.span.begin || other.span.end != token.span.end) break;
            share += (double)other.share;
        }
        size_t begin = token.span.begin > printed ? token.span.begin : printed, end = token.span.end;
        if (end > text.size || begin >= end) continue;
        double strength = largest > 0 ? fabs(share) / largest * (STRENGTHS + 0.5) : 0;
        int step = strength < STRENGTHS ? (int)strength : STRENGTHS;
        status = wl_buffer_append(out, text.data + printed, begin - printed, error);
        if (!status && step) status = append_format(out, error, "\033[38;5;16;48;5;%dm", colours[share < 0][step - 1]);
        if (!status) status = wl_buffer_append(out, text.data + begin, end - begin, error);
        if (!status && step) status = append_format(out, error, "\033[0m");
        printed = end;
    }
    return status ? status : append_line(out, (wl_text){text.data + printed, text.size - printed}, error);
}

static bool wants_colours(const cli_settings *settings)
{
    if (settings->color != COLOR_AUTO) return settings->color == COLOR_ALWAYS;

    const char *none = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return isatty(STDOUT_FILENO) && !(none && *none) && !(terminal && strcmp(terminal, "dumb") == 0);
}

/* ---- the verb ---------------------------------------------------------------------------------------------------- */

static wl_status print(const cli_explanation *explanation, const cli_settings *settings, wl_buffer *out,
                       wl_error *error)
{
    bool json = settings->json, coloured = !json && wants_colours(settings);
    double largest = largest_share(explanation);
    wl_status status = json ? append_format(out, error, "{\"score\": ") : WL_OK;
    if (!status) status = append_score(out, (double)explanation->score, error);
    if (!status && !json) status = wl_buffer_append(out, "\n", 1, error);
    for (int which = 0; which < 2 && !status; which++)
        status = json       ? print_json(out, explanation, which, error)
                 : coloured ? print_coloured(out, explanation, which, largest, error)
                            : print_table(out, explanation, which, error);
    if (!status && json) status = append_format(out, error, "}\n");
    return status ? status : print_all(out, error);
}

wl_status cmd_explain(const cli_settings *settings, wl_error *error)
{
    cli_session session;
    cli_explanation explanation = {0};
    wl_buffer out = {0}, rooms[2] = {{0}};
    uint64_t replaced = 0;
    wl_status status = session_open(&session, settings, 1, error);
    for (int which = 0; which < 2 && !status; which++)
        status = argument_text(settings->operands[which], &rooms[which], &replaced, &explanation.texts[which], error);
    for (int which = 0; which < 2 && !status; which++) status = find_shares(&session, &explanation, which, error);
    if (!status) {
        explanation.tokenizer = wl_model_tokenizer(session.model);
        status = print(&explanation, settings, &out, error);
    }
    if (!status) report_replaced(NULL, replaced);
    for (int which = 0; which < 2; which++) {
        free(explanation.tokens[which]);
        wl_buffer_free(&rooms[which]);
    }
    wl_buffer_free(&out);
    session_close(&session);
    return status;
}
