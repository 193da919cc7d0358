/* A disk that misbehaves, as a library to preload: it counts the file operations of one folder, lets one of them fail,
 * and writes down what is done to the files, so that a power loss at any moment can be imitated afterwards.
 *
 * Nothing happens before `faulty_watch`. The journal is a sequence of records, each a struct record and its data:
 *   'C' name -> inode (opened for creation)  'W' bytes at an offset  'T' truncated to an offset  'S' inode synced
 *   'D' folder synced  'R' "from\0to" renamed  'U' name removed  'M' a mark of the program under test
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 4096

struct record {
    uint64_t inode;
    int64_t offset;
    uint32_t length;
    uint32_t kind;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char folder[4096];
static size_t folder_length;
static char watched[FILES];
static int journal = -1;
static long count, failing;
static int fault, sticky;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* The name of a path inside the folder, "" for the folder itself, NULL for everything else. */
static const char *inside(const char *path) {
    if (!folder_length || !path || strncmp(path, folder, folder_length) != 0) return NULL;
    if (path[folder_length] == '\0') return "";
    return path[folder_length] == '/' ? path + folder_length + 1 : NULL;
}

static int ours(int fd) { return fd >= 0 && fd < FILES && watched[fd]; }

/* Count an operation; true when it is the one to fail. A full disk is no trouble for one that only reads. */
static int fails(int writes) {
    if (!writes && fault == ENOSPC) return 0;
    pthread_mutex_lock(&lock);
    long number = ++count;
    int now = failing && (number == failing || (sticky && number > failing));
    pthread_mutex_unlock(&lock);
    if (now) errno = fault;
    return now;
}

static void note(uint32_t kind, uint64_t inode, int64_t offset, const void *data, size_t length) {
    if (journal < 0) return;
    int saved = errno;
    struct record head = {inode, offset, (uint32_t)length, kind};
    struct iovec parts[2] = {{&head, sizeof head}, {(void *)data, length}};
    pthread_mutex_lock(&lock);
    ssize_t written = writev(journal, parts, length ? 2 : 1);
    pthread_mutex_unlock(&lock);
    if (written != (ssize_t)(sizeof head + length)) _exit(99);
    errno = saved;
}

static uint64_t inode_of(int fd, int *is_folder) {
    struct stat found;
    if (fstat(fd, &found) != 0) return 0;
    if (is_folder) *is_folder = S_ISDIR(found.st_mode);
    return found.st_ino;
}

/* --- for the program under test ------------------------------------------------------------------------------- */

void faulty_watch(const char *path, int journal_fd) {
    strncpy(folder, path, sizeof folder - 1);
    folder_length = strlen(folder);
    journal = journal_fd;
    count = failing = 0;
}

void faulty_fail(long number, int error, int stays) {
    count = 0;
    failing = number;
    fault = error;
    sticky = stays;
}

long faulty_count(void) { return count; }

void faulty_mark(const char *text) { note('M', 0, 0, text, strlen(text)); }

/* --- what is put in front of the C library's ------------------------------------------------------------------- */

static int opened(int fd, const char *name, int flags) {
    if (fd < 0 || fd >= FILES) return fd;
    watched[fd] = 1;
    if (journal >= 0 && *name) {
        uint64_t inode = inode_of(fd, NULL);
        if (flags & O_CREAT) note('C', inode, 0, name, strlen(name));
        if (flags & O_TRUNC) note('T', inode, 0, NULL, 0);
    }
    return fd;
}

#define OPEN(function)                                                     \
    int function(const char *path, int flags, ...) {                       \
        va_list rest;                                                      \
        va_start(rest, flags);                                             \
        int mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, int) : 0; \
        va_end(rest);                                                      \
        const char *name = inside(path);                                   \
        if (!name) return REAL(function)(path, flags, mode);               \
        if (fails(flags & O_CREAT)) return -1;                             \
        return opened(REAL(function)(path, flags, mode), name, flags);     \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(function)                                                     \
    int function(int at, const char *path, int flags, ...) {                 \
        va_list rest;                                                        \
        va_start(rest, flags);                                               \
        int mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, int) : 0;  \
        va_end(rest);                                                        \
        const char *name = inside(path);                                     \
        if (!name) return REAL(function)(at, path, flags, mode);             \
        if (fails(flags & O_CREAT)) return -1;                               \
        return opened(REAL(function)(at, path, flags, mode), name, flags);   \
    }
OPENAT(openat)
OPENAT(openat64)

int close(int fd) {
    if (fd >= 0 && fd < FILES) watched[fd] = 0;
    return REAL(close)(fd);
}

ssize_t read(int fd, void *data, size_t length) {
    if (ours(fd) && fails(0)) return -1;
    return REAL(read)(fd, data, length);
}

#define PREAD(function, offset_t)                                                \
    ssize_t function(int fd, void *data, size_t length, offset_t offset) {       \
        if (ours(fd) && fails(0)) return -1;                                     \
        return REAL(function)(fd, data, length, offset);                         \
    }
PREAD(pread, off_t)
PREAD(pread64, off64_t)

ssize_t write(int fd, const void *data, size_t length) {
    if (!ours(fd)) return REAL(write)(fd, data, length);
    if (fails(1)) return -1;
    off_t before = lseek(fd, 0, SEEK_CUR);
    ssize_t written = REAL(write)(fd, data, length);
    if (written > 0) note('W', inode_of(fd, NULL), before, data, (size_t)written);
    return written;
}

#define PWRITE(function, offset_t)                                                     \
    ssize_t function(int fd, const void *data, size_t length, offset_t offset) {       \
        if (ours(fd) && fails(1)) return -1;                                            \
        ssize_t written = REAL(function)(fd, data, length, offset);                    \
        if (ours(fd) && written > 0) note('W', inode_of(fd, NULL), offset, data, (size_t)written); \
        return written;                                                                \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define TRUNCATE(function, offset_t)                                      \
    int function(int fd, offset_t length) {                               \
        if (ours(fd) && fails(1)) return -1;                               \
        int result = REAL(function)(fd, length);                          \
        if (ours(fd) && result == 0) note('T', inode_of(fd, NULL), length, NULL, 0); \
        return result;                                                    \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define SYNC(function)                                                   \
    int function(int fd) {                                               \
        if (!ours(fd)) return REAL(function)(fd);                        \
        if (fails(1)) return -1;                                          \
        int is_folder = 0;                                               \
        uint64_t inode = inode_of(fd, &is_folder);                       \
        int result = REAL(function)(fd);                                 \
        if (result == 0) note(is_folder ? 'D' : 'S', inode, 0, NULL, 0); \
        return result;                                                   \
    }
SYNC(fsync)
SYNC(fdatasync)

int rename(const char *from, const char *to) {
    const char *old = inside(from), *new = inside(to);
    if (!old || !new) return REAL(rename)(from, to);
    if (fails(1)) return -1;
    int result = REAL(rename)(from, to);
    if (result == 0) {
        char both[8192];
        size_t first = strlen(old) + 1, second = strlen(new);
        memcpy(both, old, first);
        memcpy(both + first, new, second);
        note('R', 0, 0, both, first + second);
    }
    return result;
}

static int removed(int result, const char *name) {
    if (result == 0) note('U', 0, 0, name, strlen(name));
    return result;
}

int unlink(const char *path) {
    const char *name = inside(path);
    if (!name) return REAL(unlink)(path);
    return fails(1) ? -1 : removed(REAL(unlink)(path), name);
}

int unlinkat(int at, const char *path, int flags) {
    const char *name = inside(path);
    if (!name) return REAL(unlinkat)(at, path, flags);
    return fails(1) ? -1 : removed(REAL(unlinkat)(at, path, flags), name);
}
