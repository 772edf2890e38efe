/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dimensions as text, and back:
 *
 *     sum     = ["-"] product {("+" | "-") product}
 *     product = factor {"*" factor}
 *     factor  = number | symbol | "(" sum ")" | ("floor" | "ceil") "(" product "/" product ")"
 *             | ("max" | "min" | "mod" | "broadcast") "(" sum "," sum ")"
 *     symbol  = word | '"' any characters, \" and \\ escaped '"'
 */
#include <ctype.h>
#include <string.h>

#include "base/checked.h"
#include "base/compiler.h"
#include "engine/ir/dim_row.h"

/* How many rows of one expression are printed, and how deep, before "@<row>" stands for them; how
 * deep is read. */
enum { PRINT_ROWS = 400, PRINT_DEPTH = 40, PARSE_DEPTH = 64 };

/* --- printing --- */

/* Room that counts on when it is full, as snprintf does. */
typedef struct Printer {
    const QnDims *dims;
    char *text;
    size_t size, length;
    int rows, depth; /* printed so far; how deep we are */
} Printer;

static void put_char(Printer *to, char c)
{
    if (to->length + 1 < to->size)
        to->text[to->length] = c;
    to->length++;
}

static void put(Printer *to, const char *string)
{
    while (*string)
        put_char(to, *string++);
}

static void put_number(Printer *to, uint64_t number)
{
    char digits[20];
    int count = 0;
    do
        digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (count > 0)
        put_char(to, digits[--count]);
}

static uint64_t magnitude(int64_t number)
{
    return number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
}

static bool is_word_start(char c)
{
    return isalpha((unsigned char)c) || c == '_' || c == '#';
}

static bool is_word_part(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.';
}

/* Late symbols are "?3", others words;
 * the rest is quoted, also a model's own symbol that is called "?3". */
static bool is_plain(const QnDimRow *symbol)
{
    const char *c = symbol->name;
    if (symbol->is_late)
        return true;
    if (!is_word_start(*c))
        return false;
    while (is_word_part(*++c))
        continue;
    return *c == 0;
}

static void put_symbol(Printer *to, const QnDimRow *symbol)
{
    if (is_plain(symbol)) {
        put(to, symbol->name);
        return;
    }
    put_char(to, '"');
    for (const char *c = symbol->name; *c; c++) {
        if (*c == '"' || *c == '\\')
            put_char(to, '\\');
        put_char(to, *c);
    }
    put_char(to, '"');
}

static void put_dim(Printer *to, QnDim dim, bool is_factor);

/* "2*N + 1", "N*M - N", "-1": the sign of the first term is in front of it,
 * those of the others between. */
static void put_sum(Printer *to, const QnDimRow *row)
{
    for (int i = 0; i < row->term_count; i++) {
        const QnDimTerm term = row->terms[i];
        if (i > 0)
            put(to, term.factor < 0 ? " - " : " + ");
        else if (term.factor < 0)
            put_char(to, '-');
        if (magnitude(term.factor) != 1) {
            put_number(to, magnitude(term.factor));
            put_char(to, '*');
        }
        put_dim(to, term.row, true);
    }
    if (row->constant == 0 && row->term_count > 0)
        return;
    if (row->term_count > 0)
        put(to, row->constant < 0 ? " - " : " + ");
    else if (row->constant < 0)
        put_char(to, '-');
    put_number(to, magnitude(row->constant));
}

static void put_call(Printer *to, const char *name, const QnDimRow *row, const char *between)
{
    const bool is_quotient = row->op == QN_DIM_FLOOR_DIV;
    put(to, name);
    put_char(to, '(');
    put_dim(to, row->a, is_quotient);
    put(to, between);
    put_dim(to, row->b, is_quotient);
    put_char(to, ')');
}

static void put_row(Printer *to, const QnDimRow *row, bool is_factor)
{
    switch (row->op) {
    case QN_DIM_SYMBOL:
        put_symbol(to, row);
        break;
    case QN_DIM_SUM:
        if (is_factor)
            put_char(to, '(');
        put_sum(to, row);
        if (is_factor)
            put_char(to, ')');
        break;
    case QN_DIM_PRODUCT:
        put_dim(to, row->a, true);
        put_char(to, '*');
        put_dim(to, row->b, true);
        break;
    case QN_DIM_FLOOR_DIV:
        put_call(to, "floor", row, "/");
        break;
    case QN_DIM_MAX:
        put_call(to, "max", row, ", ");
        break;
    case QN_DIM_MIN:
        put_call(to, "min", row, ", ");
        break;
    case QN_DIM_BROADCAST:
        put_call(to, "broadcast", row, ", ");
        break;
    }
}

static void put_dim(Printer *to, QnDim dim, bool is_factor)
{
    if (dim >= 0) {
        put_number(to, (uint64_t)dim);
    } else if (to->rows == PRINT_ROWS || to->depth == PRINT_DEPTH) {
        put_char(to, '@');
        put_number(to, (uint64_t)(-1 - dim));
    } else {
        to->rows++;
        to->depth++;
        put_row(to, qn_dim_row(to->dims, dim), is_factor);
        to->depth--;
    }
}

int qn_dim_print(const QnDims *dims, QnDim dim, char *text, size_t size)
{
    Printer to = {.dims = dims, .text = text, .size = size};
    put_dim(&to, dim, false);
    if (size > 0)
        text[to.length < size ? to.length : size - 1] = 0;
    return (int)qn_min_i64((int64_t)to.length, INT32_MAX);
}

/* --- parsing: a sticky cursor --- */

typedef struct Parser {
    QnDims *dims;
    const char *at, *end;
    int depth;
    bool failed;
} Parser;

static void skip_space(Parser *in)
{
    while (in->at < in->end && *in->at == ' ')
        in->at++;
}

static bool accept(Parser *in, char c)
{
    skip_space(in);
    if (in->failed || in->at == in->end || *in->at != c)
        return false;
    in->at++;
    return true;
}

static void expect(Parser *in, char c)
{
    in->failed = !accept(in, c) || in->failed;
}

static QnDim parse_sum(Parser *in);
static QnDim parse_product(Parser *in);

static QnDim parse_number(Parser *in)
{
    int64_t number = 0;
    while (in->at < in->end && isdigit((unsigned char)*in->at)) {
        if (!qn_mul_i64(&number, number, 10) || !qn_add_i64(&number, number, *in->at - '0')) {
            in->failed = true;
            return 0;
        }
        in->at++;
    }
    return number;
}

static QnDim symbol_of(Parser *in, const char *name, size_t size, bool is_late)
{
    /* A copy that ends: the table keeps one of its own where the symbol is new. */
    const char *copy = qn_arena_copy_text(in->dims->arena, name, size);
    if (!copy) {
        in->dims->failed = true;
        return 0;
    }
    const QnDimRow row = {.op = QN_DIM_SYMBOL, .name = copy, .is_late = is_late};
    return qn_dim_intern(in->dims, &row);
}

static QnDim parse_quoted(Parser *in)
{
    char *name = qn_arena_array(in->dims->arena, (size_t)(in->end - in->at) + 1, 1);
    size_t size = 0;
    if (!name)
        in->dims->failed = true;
    while (name && in->at < in->end && *in->at != '"') {
        if (*in->at == '\\' && in->at + 1 < in->end)
            in->at++;
        name[size++] = *in->at++;
    }
    expect(in, '"');
    return in->failed || !name ? 0 : qn_dim_symbol(in->dims, name);
}

static QnDim parse_late(Parser *in)
{
    const char *start = in->at - 1;
    while (in->at < in->end && isdigit((unsigned char)*in->at))
        in->at++;
    in->failed = in->failed || in->at == start + 1;
    return in->failed ? 0 : symbol_of(in, start, (size_t)(in->at - start), true);
}

static const struct {
    const char *name;
    QnDim (*make)(QnDims *dims, QnDim a, QnDim b);
    char between;
} calls[] = {{"floor", qn_dim_floor_div, '/'}, {"ceil", qn_dim_ceil_div, '/'},
             {"mod", qn_dim_mod, ','},         {"max", qn_dim_max, ','},
             {"min", qn_dim_min, ','},         {"broadcast", qn_dim_broadcast, ','}};

static QnDim parse_call(Parser *in, const char *name, size_t size)
{
    for (size_t i = 0; i < QN_COUNT_OF(calls); i++) {
        if (strlen(calls[i].name) != size || memcmp(calls[i].name, name, size) != 0)
            continue;
        const bool is_quotient = calls[i].between == '/';
        const QnDim a = is_quotient ? parse_product(in) : parse_sum(in);
        expect(in, calls[i].between);
        const QnDim b = is_quotient ? parse_product(in) : parse_sum(in);
        expect(in, ')');
        return in->failed ? 0 : calls[i].make(in->dims, a, b);
    }
    in->failed = true;
    return 0;
}

static QnDim parse_word(Parser *in)
{
    const char *start = in->at++;
    while (in->at < in->end && is_word_part(*in->at))
        in->at++;
    const size_t size = (size_t)(in->at - start);
    if (accept(in, '('))
        return parse_call(in, start, size);
    return symbol_of(in, start, size, false);
}

static QnDim parse_factor(Parser *in)
{
    QnDim dim = 0;
    if (in->failed || in->depth == PARSE_DEPTH) {
        in->failed = true;
        return 0;
    }
    in->depth++;
    skip_space(in);
    if (in->at < in->end && isdigit((unsigned char)*in->at)) {
        dim = parse_number(in);
    } else if (in->at < in->end && is_word_start(*in->at)) {
        dim = parse_word(in);
    } else if (accept(in, '"')) {
        dim = parse_quoted(in);
    } else if (accept(in, '?')) {
        dim = parse_late(in);
    } else {
        expect(in, '(');
        dim = parse_sum(in);
        expect(in, ')');
    }
    in->depth--;
    return in->failed ? 0 : dim;
}

static QnDim parse_product(Parser *in)
{
    QnDim product = parse_factor(in);
    while (accept(in, '*'))
        product = qn_dim_mul(in->dims, product, parse_factor(in));
    return product;
}

static QnDim parse_sum(Parser *in)
{
    QnDim sum = accept(in, '-') ? qn_dim_sub(in->dims, 0, parse_product(in)) : parse_product(in);
    while (!in->failed) {
        if (accept(in, '+'))
            sum = qn_dim_add(in->dims, sum, parse_product(in));
        else if (accept(in, '-'))
            sum = qn_dim_sub(in->dims, sum, parse_product(in));
        else
            break;
    }
    return sum;
}

bool qn_dim_parse(QnDims *dims, QnDim *out, const char *text, size_t size)
{
    if (size == 0) /* and then `text` may be NULL: an empty field of a plan file */
        return false;
    Parser in = {.dims = dims, .at = text, .end = text + size};
    const QnDim dim = parse_sum(&in);
    skip_space(&in);
    if (in.failed || dims->failed || in.at != in.end)
        return false;
    *out = dim;
    return true;
}
