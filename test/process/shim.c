// What a disk and a clock can do to a program: a library that is put between a process and libc by LD_PRELOAD. It
// knows some files by their paths (FAULT_FILES, separated by colons). What happens to their writes, syncs and
// truncations, and what the wall clock says, is in a file that the test maps too (FAULT_CONTROL), so that both can be
// changed while the process runs. Where FAULT_TRACE names a file, every call on those files and every byte that is
// sent to a socket is written there, in order. Monotonic time is never touched.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { WRITE = 1, SYNC = 2, TRUNCATE = 4 };
enum action { IO_ERROR = 1, NO_SPACE, TORN, TORN_KILL, KILL_BEFORE, KILL_AFTER, LOSE, CLOSE, DROP_LOCKS, READ_ONLY };

// In step with shim.ts.
struct control {
  int64_t armed;      // whether calls are counted
  int64_t files;      // on which of the files: a bit each
  int64_t calls;      // which calls: WRITE, SYNC, TRUNCATE
  int64_t at;         // the first that is hit
  int64_t times;      // how many are hit
  int64_t action;
  int64_t then_kill;  // whether the next call after the first that was hit kills
  int64_t counted;
  int64_t hit;
  int64_t clock;      // 0 as it is, 1 shifted by, 2 stopped at
  int64_t clock_ns;
};

enum { FILES_MAX = 16, RANGES_MAX = 4096 };
static struct control idle;
static volatile struct control *control = &idle;
static char *files[FILES_MAX];
static int file_count;
static int trace = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct range { int64_t offset, length; } ranges[FILES_MAX][RANGES_MAX];
static int range_count[FILES_MAX];

static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static ssize_t (*real_sendmsg)(int, const struct msghdr *, int);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off64_t);
static int (*real_open)(const char *, int, ...);
static int (*real_clock_gettime)(clockid_t, struct timespec *);

static int once_done;
__attribute__((constructor)) static void begin(void) {
  if (once_done) return;
  once_done = 1;
  real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
  real_write = dlsym(RTLD_NEXT, "write");
  real_writev = dlsym(RTLD_NEXT, "writev");
  real_sendmsg = dlsym(RTLD_NEXT, "sendmsg");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
  real_open = dlsym(RTLD_NEXT, "open64");
  real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
  const char *names = getenv("FAULT_FILES");
  if (names != NULL) {
    char *rest = strdup(names);
    for (char *name; file_count < FILES_MAX && (name = strsep(&rest, ":")) != NULL;) files[file_count++] = name;
  }
  const char *path = getenv("FAULT_CONTROL");
  int fd = path == NULL ? -1 : real_open(path, O_RDWR | O_CLOEXEC);
  if (fd >= 0) {
    void *map = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED) control = map;
    close(fd);
  }
  path = getenv("FAULT_TRACE");
  if (path != NULL) trace = real_open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int file_named(const char *path) {
  for (int i = 0; i < file_count; i++)
    if (strcmp(files[i], path) == 0) return i;
  return -1;
}

static int file_of(int fd) {
  char link[40], path[1024];
  if (file_count == 0) return -1;
  strcpy(link, "/proc/self/fd/");
  char digits[12];
  int n = 0, left = fd;
  do digits[n++] = (char)('0' + left % 10);
  while ((left /= 10) > 0);
  for (int i = 0; i < n; i++) link[14 + i] = digits[n - 1 - i];
  link[14 + n] = 0;
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return -1;
  path[length] = 0;
  return file_named(path);
}

struct note {
  uint32_t type;
  int32_t file, fd, result;
  int64_t offset;
  uint64_t length;
};

static void note(char type, int file, int fd, int result, int64_t offset, const struct iovec *data, int count) {
  if (trace < 0) return;
  struct iovec all[1 + 64];
  struct note head = {(uint32_t)type, file, fd, result, offset, 0};
  if (count > 64) count = 64;
  all[0] = (struct iovec){&head, sizeof head};
  for (int i = 0; i < count; i++) {
    all[i + 1] = data[i];
    head.length += data[i].iov_len;
  }
  int saved = errno;
  pthread_mutex_lock(&lock);
  real_writev(trace, all, count + 1);
  pthread_mutex_unlock(&lock);
  errno = saved;
}

static void die(void) {
  syscall(SYS_kill, getpid(), SIGKILL);
  for (;;) pause();
}

// What befalls this call: 0 where nothing does.
static enum action due(int file, int call) {
  if (file < 0 || !control->armed || !(control->files & (1 << file)) || !(control->calls & call)) return 0;
  pthread_mutex_lock(&lock);
  int64_t n = ++control->counted;
  int is_hit = n >= control->at && control->hit < control->times;
  int kills = control->then_kill && control->hit > 0;
  if (is_hit) control->hit++;
  pthread_mutex_unlock(&lock);
  if (kills) die();
  return is_hit ? (enum action)control->action : 0;
}

// Closing any descriptor of a file drops all POSIX locks that the process has on it.
static void drop_locks(int file) {
  int fd = real_open(files[file], O_RDONLY | O_CLOEXEC);
  if (fd >= 0) close(fd);
}

static int fail(int code) {
  errno = code;
  return -1;
}

// What a call that does nothing fails with; 0 where it is done.
static int code_of(enum action action) {
  return action == IO_ERROR ? EIO : action == NO_SPACE ? ENOSPC : action == READ_ONLY ? EROFS : 0;
}

static ssize_t do_pwrite(int fd, const void *bytes, size_t length, off64_t offset) {
  if (!once_done) begin();
  int file = file_of(fd);
  if (file < 0) return real_pwrite(fd, bytes, length, offset);
  enum action action = due(file, WRITE);
  if (action == KILL_BEFORE) die();
  if (action == CLOSE) close(fd);
  if (action == DROP_LOCKS) drop_locks(file);
  size_t all = length;
  if (action == TORN || action == TORN_KILL) length /= 2;
  int code = code_of(action);
  ssize_t done = code != 0 ? fail(code) : real_pwrite(fd, bytes, length, offset);
  if (done > 0) {
    struct iovec data = {(void *)bytes, (size_t)done};
    note('W', file, fd, (int)done, offset, &data, 1);
    if (range_count[file] < RANGES_MAX) ranges[file][range_count[file]++] = (struct range){offset, done};
  }
  if (action == TORN_KILL || action == KILL_AFTER) die();
  if (action == TORN && all > 0) return fail(EIO);
  return done;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return do_pwrite(fd, bytes, length, offset); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) { return do_pwrite(fd, bytes, length, offset); }

// What a system does that drops what it could not write: the bytes since the last sync are gone.
static void lose(int file, int fd) {
  static const char nothing[65536];
  for (int i = 0; i < range_count[file]; i++) {
    struct range of = ranges[file][i];
    for (int64_t at = 0; at < of.length; at += (int64_t)sizeof nothing) {
      int64_t length = of.length - at < (int64_t)sizeof nothing ? of.length - at : (int64_t)sizeof nothing;
      real_pwrite(fd, nothing, (size_t)length, of.offset + at);
    }
  }
}

static int do_sync(int fd, int (*sync)(int)) {
  int file = file_of(fd);
  if (file < 0) return sync(fd);
  enum action action = due(file, SYNC);
  if (action == KILL_BEFORE) die();
  if (action == CLOSE) close(fd);
  if (action == DROP_LOCKS) drop_locks(file);
  if (action == LOSE) lose(file, fd);
  int lost = action == TORN || action == TORN_KILL || action == LOSE;
  int code = lost ? EIO : code_of(action);
  int result = code != 0 ? fail(code) : sync(fd);
  note('S', file, fd, result < 0 ? -errno : 0, 0, NULL, 0);
  if (result == 0 || action == LOSE) range_count[file] = 0;
  if (action == KILL_AFTER || action == TORN_KILL) die();
  return result;
}

int fsync(int fd) {
  if (!once_done) begin();
  return do_sync(fd, real_fsync);
}

int fdatasync(int fd) {
  if (!once_done) begin();
  return do_sync(fd, real_fdatasync);
}

static int do_truncate(int fd, off64_t length) {
  if (!once_done) begin();
  int file = file_of(fd);
  if (file < 0) return real_ftruncate(fd, length);
  enum action action = due(file, TRUNCATE);
  if (action == KILL_BEFORE) die();
  int code = code_of(action);
  int result = code != 0 ? fail(code) : real_ftruncate(fd, length);
  if (result == 0) note('T', file, fd, 0, length, NULL, 0);
  if (action == KILL_AFTER) die();
  return result;
}

int ftruncate(int fd, off_t length) { return do_truncate(fd, length); }
int ftruncate64(int fd, off64_t length) { return do_truncate(fd, length); }

static int do_open(const char *path, int flags, mode_t mode) {
  if (!once_done) begin();
  int file = file_named(path);
  int writes = (flags & O_ACCMODE) != O_RDONLY || flags & O_CREAT;
  if (file >= 0 && writes && control->armed && control->action == READ_ONLY) return fail(EROFS);
  int fd = real_open(path, flags, mode);
  if (fd >= 0 && file >= 0) note('O', file, fd, 0, 0, NULL, 0);
  return fd;
}

static mode_t mode_in(int flags, va_list rest) {
  return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
}

int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = mode_in(flags, rest);
  va_end(rest);
  return do_open(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = mode_in(flags, rest);
  va_end(rest);
  return do_open(path, flags, mode);
}

static int is_socket(int fd) {
  struct stat of;
  return fstat(fd, &of) == 0 && S_ISSOCK(of.st_mode);
}

// Noted before they are sent: whatever they say must be on the disk by now.
ssize_t write(int fd, const void *bytes, size_t length) {
  if (!once_done) begin();
  if (trace >= 0 && is_socket(fd)) {
    struct iovec data = {(void *)bytes, length};
    note('A', -1, fd, 0, 0, &data, 1);
  }
  return real_write(fd, bytes, length);
}

ssize_t writev(int fd, const struct iovec *data, int count) {
  if (!once_done) begin();
  if (trace >= 0 && is_socket(fd)) note('A', -1, fd, 0, 0, data, count);
  return real_writev(fd, data, count);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  if (!once_done) begin();
  if (trace >= 0) note('A', -1, fd, 0, 0, message->msg_iov, (int)message->msg_iovlen);
  return real_sendmsg(fd, message, flags);
}

static const int64_t second = 1000000000;

int clock_gettime(clockid_t id, struct timespec *now) {
  if (!once_done) begin();
  int result = real_clock_gettime(id, now);
  if (result != 0 || control->clock == 0 || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE)) return result;
  int64_t ns = control->clock_ns + (control->clock == 1 ? now->tv_sec * second + now->tv_nsec : 0);
  *now = (struct timespec){ns / second, ns % second};
  return 0;
}

int gettimeofday(struct timeval *now, void *zone) {
  (void)zone;
  struct timespec precise;
  clock_gettime(CLOCK_REALTIME, &precise);
  *now = (struct timeval){precise.tv_sec, precise.tv_nsec / 1000};
  return 0;
}

time_t time(time_t *now) {
  struct timespec precise;
  clock_gettime(CLOCK_REALTIME, &precise);
  if (now != NULL) *now = precise.tv_sec;
  return precise.tv_sec;
}
