/* What the verbs that read texts, use a model and write lines have in common: opening all that, and closing it so that
 * no file stays behind and nothing is lost. */
#ifndef WL_CLI_JOB_H
#define WL_CLI_JOB_H

#include "io.h"
#include "models.h"
#include "read.h"

typedef struct cli_job {
    const cli_settings *settings;
    cli_session session;
    cli_reader reader;
    cli_output output;
    cli_progress progress;
    wl_buffer out;      /* bytes for the output, written when they are many, and at the end */
    bool found_nothing; /* set by a verb that searches */
} cli_job;

typedef enum job_input {
    JOB_TEXTS, /* as reader_open has them; first is the first operand that is a text */
    JOB_FILES, /* as reader_open_files has them */
} job_input;

typedef struct job_plan {
    job_input input;
    size_t first;
    bool without_model, one_thread;
    bool prints_early; /* lines come while the input is read, also those before a failure, so a terminal needs no
                        * progress
                        */
    wl_status (*work)(cli_job *job, wl_error *error);
} job_plan;

/* The result of the verb. */
wl_status job_run(const cli_settings *settings, job_plan plan, wl_error *error);

#endif
