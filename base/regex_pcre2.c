/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions by PCRE2: its matcher that follows all alternatives at once. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/library.h"
#include "base/regex.h"

#define FUNCTIONS(X)                  \
    X(pcre2_compile_8)                \
    X(pcre2_compile_context_create_8) \
    X(pcre2_dfa_match_8)              \
    X(pcre2_general_context_create_8) \
    X(pcre2_get_error_message_8)      \
    X(pcre2_get_ovector_pointer_8)    \
    X(pcre2_match_context_create_8)   \
    X(pcre2_match_data_create_8)      \
    X(pcre2_set_heap_limit_8)         \
    X(pcre2_set_match_limit_8)

typedef struct Library {
    FUNCTIONS(QN_LIBRARY_FIELD)
} Library;

static const char *const names[] = {FUNCTIONS(QN_LIBRARY_NAME)};

struct QnRegex {
    Library library;
    pcre2_code_8 *code;
};

/* The search's room for states, in the integers that PCRE2 counts them by: at first, and at most.
 * Heap in KiB and calls of itself are bounded too. */
enum { WORKSPACE_FIRST = 1024, WORKSPACE_MOST = 1 << 16, HEAP_KIB = 1 << 14, CALLS = 1000000 };

/* PCRE2's memory comes from an arena, and goes with it. */
static void *take(size_t size, void *arena)
{
    return qn_arena_alloc_raw(arena, size, 16);
}

static void give_back(void *data, void *arena)
{
    (void)data;
    (void)arena;
}

QnStatus qn_regex_compile(QnRegex **out, QnBytes pattern, QnArena *arena, QnError *err)
{
    QnRegex *made = qn_arena_alloc(arena, sizeof *made);
    QnBytes translated;
    if (!made)
        return qn_no_memory(err);
    Library *library = &made->library;
    QN_TRY(qn_library_open(QN_PCRE2_LIBRARY, names, QN_COUNT_OF(names), library, err));
    QN_TRY(qn_regex_translate(&translated, pattern, arena, err));
    pcre2_general_context_8 *general =
        library->pcre2_general_context_create_8(take, give_back, arena);
    pcre2_compile_context_8 *context =
        general ? library->pcre2_compile_context_create_8(general) : NULL;
    if (!context)
        return qn_no_memory(err);
    int code;
    PCRE2_SIZE at;
    made->code = library->pcre2_compile_8(translated.data, translated.size,
                                          PCRE2_UTF | PCRE2_DUPNAMES | PCRE2_NEVER_BACKSLASH_C |
                                              PCRE2_NO_START_OPTIMIZE,
                                          &code, &at, context);
    if (!made->code) {
        PCRE2_UCHAR8 message[160] = "";
        library->pcre2_get_error_message_8(code, message, sizeof message);
        return qn_fail(err, QN_BAD_ARGUMENT, "the pattern is wrong near its byte %zu: %s", at,
                       (const char *)message);
    }
    *out = made;
    return QN_OK;
}

static QnStatus fail_match(const Library *library, int code, QnError *err)
{
    PCRE2_UCHAR8 message[160] = "";
    if (code == PCRE2_ERROR_NOMEMORY)
        return qn_no_memory(err);
    library->pcre2_get_error_message_8(code, message, sizeof message);
    return qn_fail(err, QN_UNSUPPORTED, "the pattern cannot be matched: %s", (const char *)message);
}

/* Matches from a byte on; ovector[1] is where the longest match ends.  *code is negative where
 * there is none, as PCRE2 says it. */
static QnStatus search(const QnRegex *regex, QnBytes text, size_t at, uint32_t options,
                       QnArena *scratch, int *code, const PCRE2_SIZE **ovector)
{
    const Library *library = &regex->library;
    pcre2_general_context_8 *general =
        library->pcre2_general_context_create_8(take, give_back, scratch);
    pcre2_match_context_8 *context =
        general ? library->pcre2_match_context_create_8(general) : NULL;
    pcre2_match_data_8 *found = context ? library->pcre2_match_data_create_8(1, general) : NULL;
    if (!found)
        return QN_NO_MEMORY;
    library->pcre2_set_heap_limit_8(context, HEAP_KIB);
    library->pcre2_set_match_limit_8(context, CALLS);
    *code = PCRE2_ERROR_DFA_WSSIZE;
    for (size_t room = WORKSPACE_FIRST; *code == PCRE2_ERROR_DFA_WSSIZE && room <= WORKSPACE_MOST;
         room *= 4) {
        int *workspace = qn_arena_alloc_raw(scratch, room * sizeof *workspace, 16);
        if (!workspace)
            return QN_NO_MEMORY;
        *code = library->pcre2_dfa_match_8(regex->code, text.size ? text.data : (PCRE2_SPTR8) "",
                                           text.size, at, options, found, context, workspace, room);
    }
    *ovector = library->pcre2_get_ovector_pointer_8(found);
    return QN_OK;
}

QnStatus qn_regex_match(const QnRegex *regex, QnBytes text, QnArena *scratch, bool *out,
                        QnError *err)
{
    const PCRE2_SIZE *ovector;
    int code;
    if (search(regex, text, 0, PCRE2_ANCHORED | PCRE2_ENDANCHORED, scratch, &code, &ovector) !=
        QN_OK)
        return qn_no_memory(err);
    const bool is_text = !(code <= PCRE2_ERROR_UTF8_ERR1 && code >= PCRE2_ERROR_UTF8_ERR21);
    if (code < 0 && code != PCRE2_ERROR_NOMATCH && is_text)
        return fail_match(&regex->library, code, err);
    *out = code >= 0 && ovector[1] == text.size;
    return QN_OK;
}

QnStatus qn_regex_match_at(const QnRegex *regex, QnBytes text, size_t at, QnArena *scratch,
                           size_t *size, QnError *err)
{
    const uint32_t options = PCRE2_ANCHORED | PCRE2_NOTEMPTY | PCRE2_NO_UTF_CHECK;
    const PCRE2_SIZE *ovector;
    int code;
    if (search(regex, text, at, options, scratch, &code, &ovector) != QN_OK)
        return qn_no_memory(err);
    if (code < 0 && code != PCRE2_ERROR_NOMATCH)
        return fail_match(&regex->library, code, err);
    *size = code < 0 ? 0 : ovector[1] - at;
    return QN_OK;
}

const char *qn_regex_version(const char **file)
{
    *file = QN_PCRE2_LIBRARY;
    return "PCRE2 " QN_PCRE2_VERSION;
}
