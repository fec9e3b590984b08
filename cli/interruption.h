/* Ctrl-C while the library writes a file: the work is cancelled at its next report, so that it takes its unfinished
 * file away; then the signal does what it would have done. A second one ends the program at once. */
#ifndef WL_CLI_INTERRUPTION_H
#define WL_CLI_INTERRUPTION_H

#include <stdbool.h>

void interruption_begin(void);
/* Whether a signal came. */
bool interrupted(void);
/* Raises it, if one came. */
void interruption_end(void);

#endif
