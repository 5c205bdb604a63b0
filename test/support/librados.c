/*
 * A stand-in for librados.so.2 without a cluster: a lock is a file in $RADOS_DIRECTORY, calls are appended to the file
 * "calls" there. A file "hang" makes renewals wait, "refuse" makes connecting fail. Needs no headers: built with -nostdlib.
 */
typedef unsigned long u64;
extern char *getenv(const char *name);
extern int snprintf(char *to, u64 size, const char *format, ...);
extern int open(const char *path, int flags, ...);
extern long write(int descriptor, const void *bytes, u64 count);
extern int close(int descriptor);
extern int unlink(const char *path);
extern int access(const char *path, int mode);
extern int usleep(unsigned microseconds);
extern u64 strlen(const char *text);

enum { READ_WRITE = 2, CREATE = 0100, EXCLUSIVE = 0200, APPEND = 02000 };
enum { NO_ENTRY = 2, EXISTS = 17, REFUSED = 111 };

static char context;
static char name_space[100] = "-";

static char *path_of(const char *name)
{
	static char path[4096];
	snprintf(path, sizeof(path), "%s/%s", getenv("RADOS_DIRECTORY"), name);
	return path;
}

static void note(const char *call, const char *a, const char *b, long number)
{
	char line[500];
	int file = open(path_of("calls"), READ_WRITE | CREATE | APPEND, 0600);
	snprintf(line, sizeof(line), "%s %s %s %ld\n", call, a, b, number);
	if (write(file, line, strlen(line)) < 0) close(file);
	close(file);
}

int rados_create2(void **cluster, const char *name, const char *user, u64 flags)
{
	note("create2", name, user, (long)flags);
	*cluster = &context;
	return 0;
}

int rados_conf_read_file(void *cluster, const char *path)
{
	return cluster == &context && path == 0 ? 0 : -NO_ENTRY;
}

int rados_connect(void *cluster)
{
	(void)cluster;
	return access(path_of("refuse"), 0) == 0 ? -REFUSED : 0;
}

int rados_ioctx_create(void *cluster, const char *pool, void **result)
{
	(void)cluster;
	note("ioctx_create", pool, "-", 0);
	*result = &context;
	return 0;
}

void rados_ioctx_set_namespace(void *ioctx, const char *name)
{
	(void)ioctx;
	snprintf(name_space, sizeof(name_space), "%s", name);
}

u64 rados_get_instance_id(void *cluster)
{
	(void)cluster;
	return 0x1234;
}

int rados_service_register(void *cluster, const char *service, const char *daemon, const char *metadata)
{
	(void)cluster;
	note("service_register", service, daemon, metadata[0]);
	return 0;
}

int rados_lock_exclusive(void *ioctx, const char *object, const char *name, const char *cookie,
			 const char *description, const long *duration, unsigned char flags)
{
	int file;
	(void)ioctx;
	(void)description;
	while (flags != 0 && access(path_of("hang"), 0) == 0) usleep(10000);
	note(flags == 0 ? "lock" : "renew", name_space, cookie, duration == 0 ? -1 : duration[0]);
	if (flags != 0) return access(path_of(object), 0) == 0 ? 0 : -NO_ENTRY;
	file = open(path_of(object), READ_WRITE | CREATE | EXCLUSIVE, 0600);
	if (file < 0) return -EXISTS;
	close(file);
	return name[0] == 0 ? -NO_ENTRY : 0;
}

int rados_unlock(void *ioctx, const char *object, const char *name, const char *cookie)
{
	(void)ioctx;
	note("unlock", name, cookie, 0);
	return unlink(path_of(object)) == 0 ? 0 : -NO_ENTRY;
}

void rados_ioctx_destroy(void *ioctx)
{
	(void)ioctx;
	note("ioctx_destroy", "-", "-", 0);
}

void rados_shutdown(void *cluster)
{
	(void)cluster;
	note("shutdown", "-", "-", 0);
}
