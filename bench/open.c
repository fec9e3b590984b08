/* How long a tokenizer takes to open: make bench-opening.
 *
 *     bench_open ROUNDS FILE...
 *
 * FILE is a tokenizer.json or a packed file. Prints one line a file, separated by tabs: the best and the median of the
 * rounds in milliseconds, the fewest page faults of a round, the file. The file's pages are in memory from the first
 * round on; what opening maps or allocates is given back after each. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "wordllama.h"

enum { ROUNDS = 10000 };

static double milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return 1e3 * (double)now.tv_sec + 1e-6 * (double)now.tv_nsec;
}

static long page_faults(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_minflt;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const char *path, size_t rounds)
{
    static double taken[ROUNDS];
    long fewest = 0;
    for (size_t i = 0; i < rounds; i++) {
        wl_error error;
        long faults = page_faults();
        double start = milliseconds();
        wl_tokenizer *tokenizer = wl_tokenizer_open(path, &error);
        taken[i] = milliseconds() - start;
        faults = page_faults() - faults;
        if (!tokenizer) {
            char message[1600];
            wl_error_format(&error, message, sizeof message);
            fprintf(stderr, "bench_open: %s\n", message);
            exit(1);
        }
        wl_tokenizer_close(tokenizer);
        if (i == 0 || faults < fewest) fewest = faults;
    }
    qsort(taken, rounds, sizeof *taken, ascending);
    printf("%.3f\t%.3f\t%ld\t%s\n", taken[0], taken[rounds / 2], fewest, path);
}

int main(int count, char **arguments)
{
    size_t rounds = count > 2 ? strtoul(arguments[1], NULL, 10) : 0;
    if (rounds < 1 || rounds > ROUNDS) {
        fputs("usage: bench_open ROUNDS FILE...\n", stderr);
        return 2;
    }
    for (int i = 2; i < count; i++) measure(arguments[i], rounds);
    return 0;
}
