/* SPDX-License-Identifier: Apache-2.0 */
/* A model file's inputs and outputs beside those of its configuration. */
#ifndef QS_BACKENDS_QUERN_PORTS_H
#define QS_BACKENDS_QUERN_PORTS_H

#include "server/backends/backend.h"
#include "server/config/model_config.h"

/* Adds the inputs, outputs and batching that the configuration leaves out,
 * as the model's file has them. */
QnStatus qs_quern_complete(QsModelConfig *config, const QnModel *model, const QsModelSource *source,
                           QnArena *arena, QnError *err);

/* Says where the configuration contradicts the model's file. */
QnStatus qs_quern_check(const QsModelConfig *config, const QnModel *model, QnError *err);

#endif
