#define WL_LOOPS wl_loops_generic
#include "train/loops_body.h"
