/* Principal components: the plane in which rows lie most apart. */
#ifndef WL_CLI_PCA_H
#define WL_CLI_PCA_H

#include "base/status.h"

/* points: (count, 2), each row's coordinates from the mean along the two directions of the largest variance; zero where
 * the rows vary in fewer. *share: the part of the variance that the plane holds, 0 where there is none. Deterministic.
 * Cost: count * dim^2 / 2 multiplications. */
wl_status pca_plane(const float *rows, size_t count, size_t dim, double *points, double *share, wl_error *error);

#endif
