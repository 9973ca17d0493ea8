/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/utf8.h"
#include "paste/multi.h"
#include "paste/upload.h"
#include "paths.h"

/* A URL is short; a page that says what is wrong is not wanted whole. */
#define ANSWER_BYTES (16 * 1024)
#define STATUS_BYTES 200

typedef struct Upload {
        Uploader *uploader;
        UploadDone done;
        void *userdata;
        CURL *handle;
        curl_mime *form;
        struct curl_slist *headers;
        Text status; /* "404 Not Found", of the last answer */
        Text answer;
        bool answer_too_long;
        char error[CURL_ERROR_SIZE];
} Upload;

struct Uploader {
        UploadOptions options;
        Multi *multi;
        Upload *uploads[UPLOADS_MAX];
};

static Upload *upload_free(Upload *upload) {
        if (upload) {
                curl_easy_cleanup(upload->handle);
                curl_mime_free(upload->form);
                curl_slist_free_all(upload->headers);
                text_done(&upload->status);
                text_done(&upload->answer);
                free(upload);
        }
        return NULL;
}
DEFINE_CLEANUP(Upload *, upload_free);

/* Out of the uploader's list, so that it no longer counts. */
static void upload_forget(Upload *upload) {
        for (size_t i = 0; i < UPLOADS_MAX; i++)
                if (upload->uploader->uploads[i] == upload)
                        upload->uploader->uploads[i] = NULL;
}

static void upload_cancel(Upload *upload) {
        upload_forget(upload);
        multi_remove(upload->uploader->multi, upload->handle);
        upload->done(upload->userdata, NULL, "the paste service is stopping");
        upload_free(upload);
}

Uploader *uploader_free(Uploader *uploader) {
        if (uploader) {
                for (size_t i = 0; i < UPLOADS_MAX; i++)
                        if (uploader->uploads[i])
                                upload_cancel(uploader->uploads[i]);
                multi_free(uploader->multi);
                free(uploader);
        }
        return NULL;
}

size_t uploader_count(const Uploader *uploader) {
        size_t n = 0;

        for (size_t i = 0; i < UPLOADS_MAX; i++)
                n += uploader->uploads[i] ? 1 : 0;
        return n;
}

/* Text from the network for a person: one that may stand in a D-Bus string, without white space around it.
 */
static void append_clean(Text *to, const Text *from) {
        _cleanup_text_ Text valid = {};
        const char *data = text_string(from);
        size_t size = strnlen(data, from->size), begin = 0, n;
        uint32_t c;

        utf8_append_valid(&valid, data, size);
        if (text_failed(&valid))
                return;
        size = utf8_trimmed_size(text_string(&valid), valid.size);
        while (begin < size && (n = utf8_unit(valid.data + begin, size - begin, &c)) > 0 &&
                unicode_is_space(c))
                begin += n;
        text_append(to, text_string(&valid) + begin, size - begin);
}

/* What to say when there is no URL; empty if there is one. */
static void append_error(const Upload *upload, CURLcode result, Text *to) {
        long code = 0;

        (void)curl_easy_getinfo(upload->handle, CURLINFO_RESPONSE_CODE, &code);
        if (upload->answer_too_long)
                text_append_string(to, "the answer is too long to be a URL");
        else if (result == CURLE_OPERATION_TIMEDOUT)
                text_append_string(to, "timed out");
        else if (result != CURLE_OK)
                text_append_string(to, upload->error[0] ? upload->error : curl_easy_strerror(result));
        else if (code < 200 || code > 299)
                append_clean(to, &upload->status);
}

static void on_done(CURL *handle, CURLcode result) {
        _cleanup_text_ Text error = {}, url = {};
        char *private;

        (void)curl_easy_getinfo(handle, CURLINFO_PRIVATE, &private);
        _cleanup_(upload_freep) Upload *upload = (Upload *)private;
        upload_forget(upload);
        append_error(upload, result, &error);
        if (error.size == 0)
                append_clean(&url, &upload->answer);
        if (error.size == 0 && url.size == 0)
                text_append_string(&error, "the answer is empty");
        upload->done(upload->userdata, url.size > 0 ? text_string(&url) : NULL,
                error.size > 0 ? text_string(&error) : "out of memory");
}

static size_t on_answer(char *data, _unused_ size_t one, size_t size, void *userdata) {
        Upload *upload = userdata;

        if (size > ANSWER_BYTES - upload->answer.size) {
                upload->answer_too_long = true;
                return 0;
        }
        text_append(&upload->answer, data, size);
        return text_failed(&upload->answer) ? 0 : size;
}

/* "HTTP/1.1 404 Not Found": each answer has one, one that says "continue" too. */
static size_t on_header(char *data, _unused_ size_t one, size_t size, void *userdata) {
        Upload *upload = userdata;
        const char *space = memchr(data, ' ', size);

        if (size < 5 || memcmp(data, "HTTP/", 5) != 0 || !space)
                return size;
        text_clear(&upload->status);
        text_append(&upload->status, space, MIN(size - (size_t)(space - data), (size_t)STATUS_BYTES));
        return size;
}

static int upload_fill_form(Upload *upload, const char *document) {
        upload->form = curl_mime_init(upload->handle);
        curl_mimepart *part = upload->form ? curl_mime_addpart(upload->form) : NULL;

        if (!part || curl_mime_name(part, "file") != CURLE_OK ||
                curl_mime_filename(part, "filename") != CURLE_OK ||
                curl_mime_type(part, "text/plain; charset=utf-8") != CURLE_OK ||
                curl_mime_data(part, document, CURL_ZERO_TERMINATED) != CURLE_OK)
                return -ENOMEM;

        /* Waiting for "100 Continue" costs a second where the server does not know it. */
        upload->headers = curl_slist_append(NULL, "Expect:");
        return upload->headers ? 0 : -ENOMEM;
}

static int upload_set_options(Upload *upload, const char *url, uint64_t timeout_usec) {
        CURL *h = upload->handle;

        if (curl_easy_setopt(h, CURLOPT_URL, url) != CURLE_OK ||
                curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK ||
                curl_easy_setopt(h, CURLOPT_USERAGENT, "pbotvm/" PBOTVM_VERSION) != CURLE_OK ||
                curl_easy_setopt(h, CURLOPT_MIMEPOST, upload->form) != CURLE_OK ||
                curl_easy_setopt(h, CURLOPT_HTTPHEADER, upload->headers) != CURLE_OK ||
                curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)(timeout_usec / USEC_PER_MSEC)) != CURLE_OK ||
                curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L) != CURLE_OK ||
                curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_answer) != CURLE_OK ||
                curl_easy_setopt(h, CURLOPT_WRITEDATA, upload) != CURLE_OK ||
                curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header) != CURLE_OK ||
                curl_easy_setopt(h, CURLOPT_HEADERDATA, upload) != CURLE_OK ||
                curl_easy_setopt(h, CURLOPT_ERRORBUFFER, upload->error) != CURLE_OK ||
                curl_easy_setopt(h, CURLOPT_PRIVATE, upload) != CURLE_OK)
                return -ENOMEM;
        return 0;
}

int uploader_new(sd_event *event, const UploadOptions *options, Uploader **ret) {
        _cleanup_(uploader_freep) Uploader *uploader = calloc(1, sizeof(*uploader));
        int r;

        if (!uploader)
                return -ENOMEM;
        uploader->options = *options;
        r = multi_new(event, on_done, &uploader->multi);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(uploader);
        return 0;
}

int upload_start(
        Uploader *uploader, const char *url, const char *document, UploadDone done, void *userdata) {
        size_t slot = 0;
        int r;

        if (!startswith(url, "http://") && !startswith(url, "https://"))
                return -EINVAL;
        while (slot < UPLOADS_MAX && uploader->uploads[slot])
                slot++;
        if (slot == UPLOADS_MAX)
                return -EBUSY;

        _cleanup_(upload_freep) Upload *upload = calloc(1, sizeof(*upload));
        if (!upload)
                return -ENOMEM;
        *upload = (Upload){ .uploader = uploader, .done = done, .userdata = userdata };
        upload->handle = curl_easy_init();
        if (!upload->handle)
                return -ENOMEM;

        r = upload_fill_form(upload, document);
        if (r >= 0)
                r = upload_set_options(upload, url, uploader->options.timeout_usec);
        if (r >= 0)
                r = multi_add(uploader->multi, upload->handle);
        if (r < 0)
                return r;
        uploader->uploads[slot] = TAKE_PTR(upload);
        return 0;
}
