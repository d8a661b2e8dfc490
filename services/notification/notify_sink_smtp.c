#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "notification/notify_sinks.h"
#include "notification/notify_text.h"

enum { CONNECT_S = 10, TOTAL_S = 60, ADDRESS_BYTES = NOTIFY_EMAIL_BYTES_MAX + 3 };

static bool begins_with(const char *text, const char *prefix)
{
        return strncmp(text, prefix, strlen(prefix)) == 0 && text[strlen(prefix)] != '\0';
}

door_status notify_sink_smtp_open(const notify_sink_smtp *smtp)
{
        if (!begins_with(smtp->url, "smtp://") && !begins_with(smtp->url, "smtps://")) {
                return DOOR_INVALID;
        }
        return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? DOOR_OK : DOOR_IO;
}

static size_t message_read_cb(char *out, size_t size, size_t count, void *context)
{
        door_bytes *left = context;
        const size_t room = size * count;
        const size_t put = left->len < room ? left->len : room;

        memcpy(out, left->data, put);
        *left = (door_bytes){ left->data + put, left->len - put };
        return put;
}

/* Called at least once a second, whatever the server does. */
static int progress_cb(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                       curl_off_t up)
{
        const atomic_bool *stop = context;

        (void)down_total;
        (void)down;
        (void)up_total;
        (void)up;
        return *stop ? 1 : 0;
}

/* "<address>" */
static void address_print(door_bytes address, char out[ADDRESS_BYTES])
{
        DOOR_REQUIRE(address.len <= NOTIFY_EMAIL_BYTES_MAX);
        out[0] = '<';
        memcpy(out + 1, address.data, address.len);
        out[address.len + 1] = '>';
        out[address.len + 2] = '\0';
}

static notify_failure failure_of(CURLcode code, long answer)
{
        if (code == CURLE_OK) {
                return NOTIFY_DELIVERED_WELL;
        }
        if (code == CURLE_OPERATION_TIMEDOUT) {
                return NOTIFY_TIMED_OUT;
        }
        /* What the server said last is what stopped us, unless it stopped speaking. */
        if (answer >= 500 && answer < 600) {
                return NOTIFY_REFUSED;
        }
        if (answer >= 400 && answer < 500) {
                return NOTIFY_REFUSED_FOR_NOW;
        }
        return code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION ||
                               code == CURLE_USE_SSL_FAILED || code == CURLE_SSL_CACERT_BADFILE ||
                               code == CURLE_SSL_ISSUER_ERROR || code == CURLE_SSL_CIPHER
                       ? NOTIFY_TLS
                       : NOTIFY_UNREACHABLE;
}

static notify_failure transfer(CURL *curl, const notify_sink_smtp *smtp, const notify_mail *mail,
                               const atomic_bool *stop)
{
        char address[ADDRESS_BYTES];
        door_bytes left = mail->message;
        struct curl_slist *to = NULL;
        long answer = 0;
        bool set = true;

        for (size_t i = 0; i < mail->to_count && set; i++) {
                address_print(mail->to[i], address);
                struct curl_slist *longer = curl_slist_append(to, address);
                set = longer != NULL;
                to = set ? longer : to;
        }
        address_print(mail->sender, address);
#define SET(option, value) (set = set && curl_easy_setopt(curl, option, value) == CURLE_OK)
        SET(CURLOPT_URL, smtp->url);
        SET(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
        SET(CURLOPT_USE_SSL, (long)(smtp->plain ? CURLUSESSL_NONE : CURLUSESSL_ALL));
        if (smtp->ca_file != NULL) {
                SET(CURLOPT_CAINFO, smtp->ca_file);
        }
        SET(CURLOPT_MAIL_FROM, address);
        SET(CURLOPT_MAIL_RCPT, to);
        /* A desk with two addresses of which one is dead has been told. */
        SET(CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
        SET(CURLOPT_UPLOAD, 1L);
        SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)mail->message.len);
        SET(CURLOPT_READFUNCTION, message_read_cb);
        SET(CURLOPT_READDATA, &left);
        SET(CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
        SET(CURLOPT_TIMEOUT, (long)(smtp->total_s == 0 ? TOTAL_S : smtp->total_s));
        SET(CURLOPT_FORBID_REUSE, 1L);
        SET(CURLOPT_NOSIGNAL, 1L); /* It would be the resolver's SIGALRM, and this is a thread. */
        SET(CURLOPT_NOPROGRESS, 0L);
        SET(CURLOPT_XFERINFOFUNCTION, progress_cb);
        SET(CURLOPT_XFERINFODATA, (void *)(uintptr_t)stop);
#undef SET
        notify_failure failure = NOTIFY_UNREACHABLE; /* Out of memory: later, again. */
        if (set) {
                const CURLcode code = curl_easy_perform(curl);
                (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer);
                failure = failure_of(code, answer);
        }
        curl_slist_free_all(to);
        return failure;
}

uint32_t notify_sink_smtp_perform(void *context, const door_effect *effect, const atomic_bool *stop,
                                  uint32_t *ret_detail)
{
        notify_mail mail;

        *ret_detail = NOTIFY_SINK_SMTP;
        DOOR_REQUIRE(notify_frame_read(effect->frame, &mail));
        if (mail.to_count == 0) {
                return NOTIFY_NO_ADDRESS;
        }
        CURL *curl = curl_easy_init();
        if (curl == NULL) {
                return NOTIFY_UNREACHABLE;
        }
        const notify_failure failure = transfer(curl, context, &mail, stop);
        curl_easy_cleanup(curl);
        return (uint32_t)failure;
}
