#include "interruption.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t came;

static void note(int number)
{
    came = number;
}

void interruption_begin(void)
{
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof ending / sizeof *ending; i++) {
        struct sigaction action = {.sa_handler = note, .sa_flags = (int)SA_RESETHAND}, before;
        sigemptyset(&action.sa_mask);
        /* What the parent chose to ignore (nohup) stays ignored. */
        if (sigaction(ending[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(ending[i], &action, NULL);
    }
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is a failed write */
}

bool interrupted(void)
{
    return came != 0;
}

void interruption_end(void)
{
    if (came) raise(came); /* SA_RESETHAND: the default action ends the program */
}
