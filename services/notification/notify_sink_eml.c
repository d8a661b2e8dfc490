#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "notification/notify_sinks.h"
#include "notification/notify_text.h"

enum { FILE_NAME_BYTES = DOOR_ID_TEXT_BYTES + 8 };

door_status notify_sink_eml_open(notify_sink_eml *eml, const char *home)
{
        const int len = snprintf(eml->folder, sizeof eml->folder, "%s/outbox", home);

        if (len < 0 || (size_t)len >= sizeof eml->folder) {
                return DOOR_INVALID;
        }
        return mkdir(eml->folder, 0700) == 0 || errno == EEXIST ? DOOR_OK : DOOR_IO;
}

static bool write_all(int fd, door_bytes bytes)
{
        while (bytes.len > 0) {
                const ssize_t put = write(fd, bytes.data, bytes.len);
                if (put < 0 && errno == EINTR) {
                        continue;
                }
                if (put <= 0) {
                        return false;
                }
                bytes = (door_bytes){ bytes.data + put, bytes.len - (size_t)put };
        }
        return true;
}

/* The names in it are on the disk. */
static bool folder_sync(const char *folder)
{
        const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0) {
                return false;
        }
        const bool synced = fsync(fd) == 0;
        return close(fd) == 0 && synced;
}

static bool file_write(const char *path, door_bytes message)
{
        const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        if (fd < 0) {
                return false;
        }
        const bool written = write_all(fd, message) && fsync(fd) == 0;
        return close(fd) == 0 && written;
}

uint32_t notify_sink_eml_perform(void *context, const door_effect *effect, const atomic_bool *stop,
                                 uint32_t *ret_detail)
{
        const notify_sink_eml *eml = context;
        char id[DOOR_ID_TEXT_BYTES];
        char target[NOTIFY_PATH_BYTES_MAX + FILE_NAME_BYTES];
        char temporary[NOTIFY_PATH_BYTES_MAX + FILE_NAME_BYTES];
        notify_mail mail;
        struct stat about;

        (void)stop; /* A disk answers, or nothing does. */
        *ret_detail = NOTIFY_SINK_EML;
        DOOR_REQUIRE(notify_frame_read(effect->frame, &mail));
        if (mail.to_count == 0) {
                return NOTIFY_NO_ADDRESS;
        }
        door_id_print(DOOR_ID_DELIVERY, &effect->key, id);
        (void)snprintf(target, sizeof target, "%s/%s.eml", eml->folder, id);
        (void)snprintf(temporary, sizeof temporary, "%s/.%s.tmp", eml->folder, id);
        if (lstat(target, &about) == 0) {
                return NOTIFY_DELIVERED_WELL; /* Written before we died; its name is on the disk once settled.
                                               */
        }
        if (!file_write(temporary, mail.message) || rename(temporary, target) != 0) {
                (void)unlink(temporary);
                return NOTIFY_DISK;
        }
        return NOTIFY_DELIVERED_WELL;
}

void notify_sink_eml_settle(void *context, door_outcome *outcomes, size_t count)
{
        const notify_sink_eml *eml = context;
        bool any = false;

        for (size_t i = 0; i < count; i++) {
                any |= outcomes[i].code == NOTIFY_DELIVERED_WELL;
        }
        if (!any || folder_sync(eml->folder)) {
                return;
        }
        for (size_t i = 0; i < count; i++) {
                if (outcomes[i].code == NOTIFY_DELIVERED_WELL) {
                        outcomes[i].code = NOTIFY_DISK;
                }
        }
}
