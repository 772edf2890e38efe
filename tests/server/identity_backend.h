/* SPDX-License-Identifier: Apache-2.0 */
/* A backend that gives back what it gets, so that the server can be tested without models. */
#ifndef QN_TESTS_IDENTITY_BACKEND_H
#define QN_TESTS_IDENTITY_BACKEND_H

#include "server/backends/backend.h"

extern const QsBackend qs_backend_identity;

#endif
