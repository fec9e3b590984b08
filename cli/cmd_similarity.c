#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "io.h"
#include "models.h"

static wl_status compare(const cli_session *session, const cli_settings *settings, wl_buffer *out, wl_error *error)
{
    wl_text texts[2];
    for (size_t i = 0; i < 2; i++) texts[i] = (wl_text){settings->operands[i], strlen(settings->operands[i])};
    char *rows = wl_allocate(2, session->row_size, error);
    if (!rows) return error->code;
    wl_status status =
        wl_embed(session->model, session->context, texts, 2, &session->options, rows, 2 * session->row_size, error);
    if (!status) {
        double score = compare_rows(session, rows, rows + session->row_size);
        /* 1 - 2d/D becomes 1 - d/D. */
        status = append_score(out, settings->hamming ? (1 + score) / 2 : score, error);
    }
    if (!status) status = wl_buffer_append(out, "\n", 1, error);
    free(rows);
    return status;
}

wl_status cmd_similarity(const cli_settings *settings, wl_error *error)
{
    cli_session session;
    wl_buffer out = {0};
    wl_status status = session_open(&session, settings, 1, error);
    if (!status) status = compare(&session, settings, &out, error);
    if (!status) status = print_all(&out, error);
    if (!status) report_replaced(session.context, 0);
    wl_buffer_free(&out);
    session_close(&session);
    return status;
}
