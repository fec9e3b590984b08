#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "wordllama_train.h"

/* OpenBLAS has chosen its kernels before main begins. Once, for the variable is set then. */
void begin_process(char **arguments)
{
    const char *kernels = wl_blas_advice();
    if (!kernels || setenv("OPENBLAS_CORETYPE", kernels, 1) != 0) return;
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0) return;
    path[length] = '\0';
    /* Started by an explicit loader, the program is no more than its argument. */
    const char *slash = strrchr(path, '/');
    if (slash && strncmp(slash, "/ld-", 4) == 0) return;
    execv(path, arguments);
}
