/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the zip format that .npz files and archives of test cases use: a directory at the
 * end of the file (records PK\1\2), found by its end record (PK\5\6), whose entries point at
 * members (PK\3\4), stored or deflated.  NumPy writes sizes over 32 bits in a "zip64" extra field;
 * those of the directory are read here, too.
 */
#include "tools/archive.h"

#include "base/checked.h"
#include "base/error.h"
#include "tools/inflate.h"

enum {
    END_SIZE = 22,
    ENTRY_SIZE = 46,
    MEMBER_SIZE = 30,
    COMMENT_MOST = 65535,
    ZIP64 = 1 /* the number of the extra field with sizes of 64 bits */
};

static const uint32_t end_mark = 0x06054b50, entry_mark = 0x02014b50, member_mark = 0x04034b50;

static bool fail(Archive *archive, const char *why)
{
    archive->status = qn_fail(archive->err, QN_BAD_TENSOR, "%s: %s", archive->name, why);
    return false;
}

/* The end record stands in front of a comment of unknown size: it is searched from behind. */
Archive archive_open(QnBytes bytes, const char *name, QnError *err)
{
    Archive archive = {.name = name, .bytes = bytes, .err = err};
    const size_t lowest =
        bytes.size > END_SIZE + COMMENT_MOST ? bytes.size - END_SIZE - COMMENT_MOST : 0;
    size_t at = bytes.size >= END_SIZE ? bytes.size - END_SIZE : 0;
    while (at > lowest && qn_load_u32(bytes.data + at) != end_mark)
        at--;
    if (bytes.size < END_SIZE || qn_load_u32(bytes.data + at) != end_mark) {
        fail(&archive, "this is no archive: no zip directory at its end");
        return archive;
    }
    const uint32_t size = qn_load_u32(bytes.data + at + 12);
    const uint32_t offset = qn_load_u32(bytes.data + at + 16);
    if (!qn_is_range(offset, size, at)) {
        fail(&archive, "the archive's directory lies outside of the file");
        return archive;
    }
    archive.left = qn_load_u16(bytes.data + at + 10);
    archive.directory = qn_bytes(bytes.data + offset, size);
    return archive;
}

/* A size or offset that did not fit into 32 bits: the next number of the entry's zip64 field. */
static bool take_wide(uint64_t *value, QnBytes *wide)
{
    if (*value != UINT32_MAX)
        return true;
    if (wide->size < 8)
        return false;
    *value = qn_load_u64(wide->data);
    *wide = qn_bytes(wide->data + 8, wide->size - 8);
    return true;
}

static QnBytes find_wide(QnBytes extra)
{
    while (extra.size >= 4) {
        const size_t size = qn_load_u16(extra.data + 2);
        if (size > extra.size - 4)
            break;
        if (qn_load_u16(extra.data) == ZIP64)
            return qn_bytes(extra.data + 4, size);
        extra = qn_bytes(extra.data + 4 + size, extra.size - 4 - size);
    }
    return (QnBytes){0};
}

/* Where the member's bytes begin: behind its own header, whose name and extra field may differ. */
static bool locate(const Archive *archive, uint64_t offset, uint64_t size, QnBytes *out)
{
    const QnBytes all = archive->bytes;
    if (!qn_is_range(offset, MEMBER_SIZE, all.size) ||
        qn_load_u32(all.data + offset) != member_mark)
        return false;
    const uint64_t begin = offset + MEMBER_SIZE + qn_load_u16(all.data + offset + 26) +
                           qn_load_u16(all.data + offset + 28);
    if (!qn_is_range(begin, size, all.size))
        return false;
    *out = qn_bytes(all.data + begin, (size_t)size);
    return true;
}

bool archive_next(Archive *archive, ArchiveMember *member)
{
    if (archive->status != QN_OK || archive->left == 0)
        return false;
    archive->left--;
    const QnBytes entry = archive->directory;
    if (entry.size < ENTRY_SIZE || qn_load_u32(entry.data) != entry_mark)
        return fail(archive, "the archive's directory is cut short");
    const size_t name = qn_load_u16(entry.data + 28), extra = qn_load_u16(entry.data + 30);
    const size_t whole = ENTRY_SIZE + name + extra + qn_load_u16(entry.data + 32);
    if (whole > entry.size)
        return fail(archive, "the archive's directory is cut short");
    uint64_t size = qn_load_u32(entry.data + 24), packed = qn_load_u32(entry.data + 20);
    uint64_t offset = qn_load_u32(entry.data + 42);
    QnBytes wide = find_wide(qn_bytes(entry.data + ENTRY_SIZE + name, extra));
    *member = (ArchiveMember){.name = qn_bytes(entry.data + ENTRY_SIZE, name),
                              .method = qn_load_u16(entry.data + 10),
                              .crc = qn_load_u32(entry.data + 16)};
    if (!take_wide(&size, &wide) || !take_wide(&packed, &wide) || !take_wide(&offset, &wide) ||
        !locate(archive, offset, packed, &member->stored))
        return fail(archive, "a member lies outside of the file");
    member->size = size;
    archive->directory = qn_bytes(entry.data + whole, entry.size - whole);
    return true;
}

/* CRC-32 as zip has it, bit by bit per byte's worth of a small table. */
static uint32_t checksum(QnBytes bytes)
{
    uint32_t table[16], crc = UINT32_MAX;
    for (uint32_t i = 0; i < 16; i++) {
        table[i] = i;
        for (int bit = 0; bit < 4; bit++)
            table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320u : 0);
    }
    for (size_t i = 0; i < bytes.size; i++) {
        crc ^= bytes.data[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

QnStatus archive_read(QnBytes *out, const Archive *archive, const ArchiveMember *member,
                      QnValueStore *store)
{
    QnBytes bytes = member->stored;
    if (member->method == 8) {
        /* Deflate packs at most 1,032 times: a size beyond that is a lie, and takes no memory. */
        if (member->size / 1032 > member->stored.size + 1)
            return qn_fail(archive->err, QN_BAD_TENSOR, "%s: %.*s cannot have %llu bytes",
                           archive->name, (int)member->name.size, (const char *)member->name.data,
                           (unsigned long long)member->size);
        uint8_t *data = qn_value_store_alloc(store, (size_t)member->size);
        if (!data)
            return qn_no_memory(archive->err);
        QN_TRY(inflate_bytes(data, (size_t)member->size, bytes, archive->name, archive->err));
        bytes = qn_bytes(data, (size_t)member->size);
    } else if (member->method != 0) {
        return qn_fail(archive->err, QN_UNSUPPORTED,
                       "%s: %.*s is packed by method %d, expected 0 (stored) or 8 (deflated)",
                       archive->name, (int)member->name.size, (const char *)member->name.data,
                       member->method);
    }
    if (bytes.size != member->size || checksum(bytes) != member->crc)
        return qn_fail(archive->err, QN_BAD_TENSOR, "%s: %.*s is damaged: its checksum differs",
                       archive->name, (int)member->name.size, (const char *)member->name.data);
    *out = bytes;
    return QN_OK;
}
