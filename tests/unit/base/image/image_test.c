/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures of 3 x 2 pixels in every format, what is cut off or damaged, and what is too large. */
#include "base/image/image.h"

#include "base/base64.h"
#include "base/text.h"
#include "tests/support/test.h"

/* A picture as text: "3x2 [1 2 3]" with all samples, or "<status>: <message>". */
static const char *read_to_text(QnBytes bytes)
{
    static char said[1200];
    QnArena arena = {0};
    QnImage image;
    QnError err;
    const QnStatus status = qn_image_read(&image, bytes, &arena, &err);
    int used =
        status == QN_OK
            ? snprintf(said, sizeof said, "%dx%dx%d:", image.width, image.height, image.channels)
            : snprintf(said, sizeof said, "%s: %s", qn_status_name(status), err.message);
    const int count = status == QN_OK ? image.width * image.height * image.channels : 0;
    for (int i = 0; i < count && used < (int)sizeof said - 8; i++)
        used += snprintf(said + used, sizeof said - (size_t)used, " %d", image.pixels[i]);
    qn_arena_finish(&arena);
    return said;
}

#define COLOURS "3x2x3: 255 0 0 0 255 0 0 0 255 0 0 0 255 255 255 10 20 30"

/* Encoded by other programs, in base64. */
static const struct {
    const char *format, *what, *text, *want;
} encoded[] = {
    {"png", "RGB",
     "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAFklEQVR42mP4z8DAAMMM////5xKRAwA8PAY3B5RWxA"
     "AAAABJRU5ErkJggg==",
     COLOURS},
    {"png", "RGB and transparency, which is left away",
     "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAYAAACddGYaAAAAH0lEQVR42gXBsQEAEADAsGAzm93q80oEeRSMau5z1w"
     "docQe8BmJc1QAAAABJRU5ErkJggg==",
     COLOURS},
    {"png", "a palette",
     "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACBAMAAABvWnspAAAAElBMVEX///8A/wAKFB7/AAAAAP8AAAABIcwCAAAADk"
     "lEQVR42mM05GeSfwAAAmEBQ2aCRksAAAAASUVORK5CYII=",
     COLOURS},
    {"png", "16 bits of grey",
     "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACEAAAAADoj+WFAAAAFklEQVR4nGNgYGBk+P+foYGBgZGREQAUDgKD46Z9Fg"
     "AAAABJRU5ErkJggg==",
     "3x2x1: 0 1 255 128 0 1"},
    {"webp", "without loss",
     "UklGRjwAAABXRUJQVlA4TC8AAAAvAkAAAC8gECCI8J9qQ0iQ0P2/V4EAQYn/SvMfIDY"
     "5tgoUso0Ah+4lOZGL6H+MLwA=",
     COLOURS},
    {"tiff", "RGB",
     "SUkqAAgAAAAKAAABBAABAAAAAwAAAAEBBAABAAAAAgAAAAIBAwADAAAAhgAAAAMBAwABAAAAAQAAAAYBAwABAAAAAg"
     "AAABEBBAABAAAAjAAAABUBAwABAAAAAwAAABYBBAABAAAAAgAAABcBBAABAAAAEgAAABwBAwABAAAAAQAAAAAAAAAI"
     "AAgACAD/AAAA/wAAAP8AAAD///8KFB4=",
     COLOURS},
    {"jpeg2000", "without loss",
     "AAAADGpQICANCocKAAAAFGZ0eXBqcDIgAAAAAGpwMiAAAAAtanAyaAAAABZpaGRyAAAAAgAAAAMAAwcHAAAAAAAPY2"
     "9scgEAAAAAABAAAADKanAyY/9P/1EALwAAAAAAAwAAAAIAAAAAAAAAAAAAAAMAAAACAAAAAAAAAAAAAwcBAQcBAQcB"
     "Af9SAAwAAAABAAEEBAAB/1wAB0BASEhQ/2QAJQABQ3JlYXRlZCBieSBPcGVuSlBFRyB2ZXJzaW9uIDIuNS40/5AACg"
     "AAAAAATwAB/5PPtAwMHH/A+EIKT8+0DAV4L8PqAp+AHPzAgACPCk0BA0/PwAoHyAoD5AQAhwpFBX/D6gKfgCT8wIAA"
     "DwQzfj8DMf/Z",
     COLOURS},
    {"jpeg", "RGB",
     "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBw"
     "YGCAsICQoKCgoKBggLDAsKDAkKCgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoK"
     "CgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgr/wAARCAACAAMDASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAA"
     "X/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFAEBAAAAAAAAAAAAAAAAAAAACP/EABQRAQAAAAAAAAAAAAAAAAAAAAD/"
     "2gAMAwEAAhEDEQA/AJ4Armw//9k=",
     "3x2x3: 200 100 50 200 100 50 200 100 50 200 100 50 200 100 50 200 100 50"},
    {"jpeg", "grey",
     "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBw"
     "YGCAsICQoKCgoKBggLDAsKDAkKCgr/wAALCAACAAMBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACP/EABQQAQAAAAAA"
     "AAAAAAAAAAAAAAD/2gAIAQEAAD8AGb//2Q==",
     "3x2x1: 77 77 77 77 77 77"},
    {"jpeg", "four inks",
     "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwACAQEBAQECAQEBAgICAgIEAwICAgIFBAQDBAYFBgYGBQYGBgcJCAYHCQcGBg"
     "gLCAkKCgoKCgYICwwLCgwJCgoK/8AAFAgAAgADBEMRAE0RAFkRAEsRAP/EABUAAQEAAAAAAAAAAAAAAAAAAAkH/8QA"
     "FBABAAAAAAAAAAAAAAAAAAAAAP/aAA4EQwBNAFkASwAAPwB/EPGOSB//2Q==",
     "3x2x3: 200 78 39 200 78 39 200 78 39 200 78 39 200 78 39 200 78 39"},
};

/* Does this build and machine read the format of some bytes? */
static bool is_read(QnBytes bytes)
{
    const QnImageFormat *format = qn_image_find(bytes);
    QnArena arena = {0};
    QnImage image;
    const QnStatus status = qn_image_read(&image, bytes, &arena, NULL);
    qn_arena_finish(&arena);
    return format && status != QN_UNSUPPORTED;
}

TEST(every_format_is_known_by_its_bytes_and_read)
{
    for (size_t i = 0; i < QN_COUNT_OF(encoded); i++) {
        QnArena arena = {0};
        QnBytes bytes;
        bool no_memory;
        REQUIRE(t, qn_base64_parse(&bytes, qn_bytes_of_text(encoded[i].text), &arena, &no_memory),
                "row %zu", i);
        const QnImageFormat *format = qn_image_find(bytes);
        EXPECT(t, format && !strcmp(format->name, encoded[i].format), "%s", encoded[i].format);
        const char *got = read_to_text(bytes);
        if (is_read(bytes))
            EXPECT(t, !strcmp(got, encoded[i].want), "%s, %s: %s", encoded[i].format,
                   encoded[i].what, got);
        else
            EXPECT(t, strstr(got, format->library) != NULL, "%s", got);
        qn_arena_finish(&arena);
    }
}

/* Whatever is left of a file gives a picture or a sentence. */
TEST(files_that_are_cut_off_or_damaged_are_no_disaster)
{
    for (size_t i = 0; i < QN_COUNT_OF(encoded); i++) {
        QnArena arena = {0};
        QnBytes whole;
        bool no_memory;
        REQUIRE(t, qn_base64_parse(&whole, qn_bytes_of_text(encoded[i].text), &arena, &no_memory),
                "row %zu", i);
        for (size_t size = 0; size < whole.size; size++) {
            const char *got = read_to_text(qn_bytes(whole.data, size));
            EXPECT(t, *got != ':' && strlen(got) > 4, "%s of %zu bytes: %s", encoded[i].format,
                   size, got);
        }
        for (size_t at = 0; at < whole.size; at++) {
            uint8_t *damaged = qn_arena_alloc(&arena, whole.size);
            REQUIRE(t, damaged, "no memory");
            memcpy(damaged, whole.data, whole.size);
            damaged[at] ^= 0x55;
            EXPECT(t, strlen(read_to_text(qn_bytes(damaged, whole.size))) > 4, "at %zu", at);
        }
        qn_arena_finish(&arena);
    }
}

TEST(netpbm_maps_are_read_as_text_and_as_bytes)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *want;
    } rows[] = {
#define ROW(bytes, want) {(bytes), sizeof(bytes) - 1, (want)}
        ROW("P1 3 2 # one is black\n101\n0 1 0", "3x2x1: 0 255 0 255 0 255"),
        ROW("P2\n2 1\n10\n5 10", "2x1x1: 128 255"),
        ROW("P3 1 1 255 1 2 300", "1x1x3: 1 2 255"),
        ROW("P4 9 2\n\x80\x80\x00\xff", "9x2x1: 0 255 255 255 255 255 255 255 0 255 255 255 255 "
                                        "255 255 255 255 0"),
        ROW("P5 2 1 255 \x07\xff", "2x1x1: 7 255"),
        ROW("P5 1 1 65535 \x80\x00", "1x1x1: 128"),
        ROW("P6 1 1 255\n\x01\x02\x03", "1x1x3: 1 2 3"),
        ROW("P5 2 1 255 \x07", "BAD_TENSOR: the file ends before the last of 2 pixels"),
        ROW("P2 2 1 9 7", "BAD_TENSOR: the file ends before the last of 2 pixels"),
        ROW("P5 2 1 0 \x07", "BAD_TENSOR: the largest value is 0, expected 1 to 65535"),
        ROW("P5 0 1 255 ", "BAD_TENSOR: the picture has 0 x 1 pixels"),
        ROW("P5 x", "BAD_TENSOR: the largest value is -1, expected 1 to 65535"),
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        const char *got = read_to_text(qn_bytes(rows[i].bytes, rows[i].size));
        EXPECT(t, !strcmp(got, rows[i].want), "row %zu: %s", i, got);
    }
}

/* A bitmap of 2 x 2 pixels: its header and what follows. */
typedef struct BitmapRow {
    int bits, packing;
    const char *rest; /* palette or masks, then the rows, the last one first */
    size_t rest_size, palette_size;
    const char *want;
} BitmapRow;

static QnBytes make_bitmap(uint8_t *to, const BitmapRow *row, int32_t height)
{
    const uint32_t offset = 54 + (uint32_t)row->palette_size;
    const int32_t width = 2, info = 40;
    memset(to, 0, 54);
    memcpy(to, "BM", 2);
    memcpy(to + 10, &offset, 4);
    memcpy(to + 14, &info, 4);
    memcpy(to + 18, &width, 4);
    memcpy(to + 22, &height, 4);
    to[28] = (uint8_t)row->bits;
    to[30] = (uint8_t)row->packing;
    if (row->bits <= 8)
        to[46] = (uint8_t)(row->palette_size / 4);
    memcpy(to + 54, row->rest, row->rest_size);
    return qn_bytes(to, 54 + row->rest_size);
}

TEST(bitmaps_of_every_depth_are_read)
{
    static const BitmapRow rows[] = {
#undef ROW
#define ROW(bits, packing, palette, pixels, want) \
    {bits, packing, palette pixels, sizeof(palette pixels) - 1, sizeof(palette) - 1, want}
        ROW(24, 0, "", "\x01\x02\x03\x04\x05\x06\0\0\x07\x08\x09\x0a\x0b\x0c\0\0",
            "2x2x3: 9 8 7 12 11 10 3 2 1 6 5 4"),
        ROW(1, 0, "\x01\x02\x03\0\x04\x05\x06\0", "\x80\0\0\0\x40\0\0\0",
            "2x2x3: 3 2 1 6 5 4 6 5 4 3 2 1"),
        ROW(4, 0, "\x01\x02\x03\0\x04\x05\x06\0", "\x10\0\0\0\x02\0\0\0",
            "2x2x3: 3 2 1 0 0 0 6 5 4 3 2 1"),
        ROW(8, 0, "\x01\x02\x03\0\x04\x05\x06\0", "\x01\0\0\0\0\x01\0\0",
            "2x2x3: 3 2 1 6 5 4 6 5 4 3 2 1"),
        ROW(16, 0, "", "\x1f\0\xe0\x03\0\x7c\xff\x7f",
            "2x2x3: 255 0 0 255 255 255 0 0 255 0 255 0"),
        ROW(16, 3, "\0\xf8\0\0\xe0\x07\0\0\x1f\0\0\0", "\x1f\0\xe0\x07\0\xf8\xff\xff",
            "2x2x3: 255 0 0 255 255 255 0 0 255 0 255 0"),
        ROW(32, 0, "", "\x01\x02\x03\xff\x04\x05\x06\xff\x07\x08\x09\xff\x0a\x0b\x0c\xff",
            "2x2x3: 9 8 7 12 11 10 3 2 1 6 5 4"),
        ROW(24, 0, "", "\x01\x02\x03", "BAD_TENSOR: the file ends before the last pixel"),
        ROW(8, 1, "", "",
            "UNSUPPORTED: the bitmap has 8 bits per pixel and compression 1, expected "
            "1, 4, 8, 16, 24 or 32 without any"),
    };
    uint8_t bytes[256];
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        const char *got = read_to_text(make_bitmap(bytes, &rows[i], 2));
        EXPECT(t, !strcmp(got, rows[i].want), "row %zu: %s", i, got);
    }
    const char *got = read_to_text(make_bitmap(bytes, &rows[0], -2)); /* the top row first */
    EXPECT(t, !strcmp(got, "2x2x3: 3 2 1 6 5 4 9 8 7 12 11 10"), "%s", got);
}

TEST(what_is_no_picture_or_too_large_is_said)
{
    static const struct {
        const char *bytes, *want;
    } rows[] = {
        {"", "BAD_TENSOR: the bytes are no picture of a known format"},
        {"GIF89a", "BAD_TENSOR: the bytes are no picture of a known format"},
        {"P6 70000 1 255 ",
         "UNSUPPORTED: the picture has 70000 x 1 pixels, expected 268435456 at most"},
        {"P6 60000 60000 255 ",
         "UNSUPPORTED: the picture has 60000 x 60000 pixels, expected 268435456 at most"},
        {"P6 16000 16000 255 ",
         "BAD_TENSOR: 19 bytes cannot hold the announced 16000 x 16000 pixels"},
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        const char *got = read_to_text(qn_bytes_of_text(rows[i].bytes));
        EXPECT(t, !strcmp(got, rows[i].want), "row %zu: %s", i, got);
    }
}

TEST(grey_is_what_video_makes_of_colours)
{
    EXPECT(t, qn_image_grey(255, 255, 255) == 255, "white");
    EXPECT(t, qn_image_grey(255, 0, 0) == 76, "red is %d", qn_image_grey(255, 0, 0));
    EXPECT(t, qn_image_grey(0, 255, 0) == 150, "green is %d", qn_image_grey(0, 255, 0));
    EXPECT(t, qn_image_grey(0, 0, 255) == 29, "blue is %d", qn_image_grey(0, 0, 255));
}

TEST_MAIN(CASE(every_format_is_known_by_its_bytes_and_read),
          CASE(files_that_are_cut_off_or_damaged_are_no_disaster),
          CASE(netpbm_maps_are_read_as_text_and_as_bytes), CASE(bitmaps_of_every_depth_are_read),
          CASE(what_is_no_picture_or_too_large_is_said), CASE(grey_is_what_video_makes_of_colours))
