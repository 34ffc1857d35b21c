// Callers of AudioSocket: CALLS connections, a 20 ms frame each way, phases spread over the 20 ms. One process, one
// epoll, one timerfd. Measures what the wire shows of the server (lateness against the grid of its first frame, gaps,
// drift) and, apart from it, how late this program itself was.
//
// It reads either at once, woken by each frame that comes (lateness to the microsecond), or in its own slots of 0.5 ms.
// Then no frame wakes it: to wake a process on an idle core costs the sender a call into the hypervisor, several
// microseconds a frame, which depend on how often this program sleeps and are no cost of the server.
//
// usage: load_generator PORT CALLS SECONDS WARM_UP_SECONDS SPEECH.raw at_once|in_slots
// Prints "WARM" when the measuring begins, then one line of JSON.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { FRAME = 320, HEADER = 3, SLOTS = 40, BINS = 200000, BIN_NS = 50000 };
static const int64_t PERIOD_NS = 20000000, SLOT_NS = 500000;

typedef struct {
    int fd;
    uint8_t header[HEADER];
    int header_bytes, payload_left;
    uint64_t frames;        // audio messages since the first
    int64_t grid;           // arrival of the first one, moved to the earliest grid that any frame shows in the warm-up
    int64_t first, last;    // arrivals in the measured window
    uint64_t first_number;
    size_t speech_at;
} Call;

typedef struct { uint32_t bin[BINS + 1]; uint64_t count; } Histogram;

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void count(Histogram *h, int64_t ns) {
    int64_t i = (ns < 0 ? -ns : ns) / BIN_NS;
    h->bin[i > BINS ? BINS : i]++;
    h->count++;
}

static double percentile_ms(const Histogram *h, double p) {
    uint64_t wanted = (uint64_t)(p * h->count), seen = 0;
    for (int i = 0; i <= BINS; i++)
        if ((seen += h->bin[i]) > wanted || (seen && seen == h->count)) return i * (BIN_NS / 1e6);
    return -1;
}

static uint8_t *read_file(const char *path, size_t *length) {
    FILE *f = fopen(path, "rb");
    if (!f) { perror(path); exit(3); }
    fseek(f, 0, SEEK_END);
    *length = ftell(f);
    rewind(f);
    uint8_t *data = malloc(*length);
    if (fread(data, 1, *length, f) != *length) exit(3);
    fclose(f);
    *length -= *length % FRAME;
    return data;
}

static int dial(int port, int number) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (void *)&a, sizeof a)) { perror("connect"); exit(3); }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    uint8_t uuid[HEADER + 16] = {1, 0, 16};
    for (int i = 0; i < 16; i++) uuid[HEADER + i] = (uint8_t)(number >> (i % 4) * 8);
    if (write(fd, uuid, sizeof uuid) != sizeof uuid) exit(3);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static double cpu_seconds(void) {
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return r.ru_utime.tv_sec + r.ru_stime.tv_sec + 1e-6 * (r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

static Histogram late, gaps, own;
static uint64_t received, sent, refused, closed;
static int measuring;

static void on_frame(Call *c, int64_t t) {
    int64_t offset = t - (int64_t)c->frames * PERIOD_NS;
    uint64_t number = c->frames++;
    if (!measuring) {
        if (offset < c->grid) c->grid = offset;
        return;
    }
    received++;
    if (c->grid == INT64_MAX) c->grid = offset;
    count(&late, offset > c->grid ? offset - c->grid : 0);
    if (c->last) count(&gaps, t - c->last - PERIOD_NS);
    if (!c->first) { c->first = t; c->first_number = number; }
    c->last = t;
}

static void on_bytes(Call *c, const uint8_t *p, ssize_t n, int64_t t) {
    while (n > 0) {
        if (c->header_bytes < HEADER) {
            c->header[c->header_bytes++] = *p++;
            n--;
            if (c->header_bytes < HEADER) continue;
            c->payload_left = c->header[1] << 8 | c->header[2];
        }
        int take = n < c->payload_left ? (int)n : c->payload_left;
        p += take; n -= take; c->payload_left -= take;
        if (c->payload_left == 0) {
            c->header_bytes = 0;
            if (c->header[0] == 0x10) on_frame(c, t);
        }
    }
}

static void send_frame(Call *c, const uint8_t *speech, size_t length) {
    uint8_t message[HEADER + FRAME] = {0x10, FRAME >> 8, FRAME & 0xff};
    memcpy(message + HEADER, speech + c->speech_at, FRAME);
    c->speech_at = (c->speech_at + FRAME) % length;
    if (send(c->fd, message, sizeof message, MSG_NOSIGNAL) != (ssize_t)sizeof message) refused++;
    else if (measuring) sent++;
}

static void sleep_until_next_slot(int64_t start) {
    int64_t now = now_ns(), at = now < start ? start : start + ((now - start) / SLOT_NS + 1) * SLOT_NS;
    struct timespec t = {at / 1000000000LL, at % 1000000000LL};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, 0);
}

int main(int argc, char **argv) {
    if (argc != 7) {
        fprintf(stderr, "usage: %s PORT CALLS SECONDS WARM_UP_SECONDS SPEECH.raw at_once|in_slots\n", argv[0]);
        return 2;
    }
    int port = atoi(argv[1]), calls = atoi(argv[2]), in_slots = !strcmp(argv[6], "in_slots");
    double seconds = atof(argv[3]), warm_up = atof(argv[4]);
    size_t length;
    uint8_t *speech = read_file(argv[5], &length);
    Call *call = calloc(calls, sizeof *call);
    int poll = epoll_create1(0);
    for (int i = 0; i < calls; i++) {
        call[i] = (Call){.fd = dial(port, i + 1), .grid = INT64_MAX, .speech_at = (size_t)i * 7919 * FRAME % length};
        struct epoll_event e = {.events = EPOLLIN, .data.u32 = i};
        epoll_ctl(poll, EPOLL_CTL_ADD, call[i].fd, &e);
        if (i % 25 == 24) usleep(5000);
    }
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    int64_t start = now_ns() + 50000000LL;
    struct itimerspec every = {.it_value = {start / 1000000000LL, start % 1000000000LL}, .it_interval = {0, SLOT_NS}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &every, 0);
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = UINT32_MAX};
    epoll_ctl(poll, EPOLL_CTL_ADD, timer, &e);
    int64_t from = start + (int64_t)(warm_up * 1e9), until = from + (int64_t)(seconds * 1e9);
    uint64_t slot = 0;
    double cpu = 0;
    static uint8_t buffer[65536];
    struct epoll_event ready[1024];
    for (;;) {
        if (in_slots) sleep_until_next_slot(start);
        int n = epoll_wait(poll, ready, 1024, in_slots ? 0 : 100);
        int64_t t = now_ns();
        if (t > until) break;
        if (!measuring && t >= from) { measuring = 1; cpu = cpu_seconds(); printf("WARM\n"); fflush(stdout); }
        for (int k = 0; k < n; k++) {
            uint32_t i = ready[k].data.u32;
            if (i != UINT32_MAX) {
                ssize_t r = recv(call[i].fd, buffer, sizeof buffer, 0);
                if (r > 0) on_bytes(&call[i], buffer, r, now_ns());
                else if (r == 0 || errno != EAGAIN) { epoll_ctl(poll, EPOLL_CTL_DEL, call[i].fd, 0); closed++; }
                continue;
            }
            uint64_t ticks;
            if (read(timer, &ticks, sizeof ticks) != sizeof ticks) continue;
            for (; ticks; ticks--, slot++) {
                if (measuring) count(&own, now_ns() - (start + (int64_t)slot * SLOT_NS));
                for (int j = slot % SLOTS; j < calls; j += SLOTS) send_frame(&call[j], speech, length);
            }
        }
    }
    double drift = 0; // the mean over calls, per 60 s: how much slower than 20 ms a frame the server plays
    int drifting = 0;
    for (int i = 0; i < calls; i++) {
        int64_t frames = (int64_t)(call[i].frames - call[i].first_number) - 1;
        if (frames < 10) continue;
        drift += ((double)(call[i].last - call[i].first) / (frames * PERIOD_NS) - 1) * 60000;
        drifting++;
    }
    printf("{\"calls\": %d, \"received_fps\": %.3f, \"sent_fps\": %.3f, \"refused\": %lu, \"closed\": %lu, "
           "\"drift_ms_per_minute\": %.3f, \"late_p50\": %.2f, \"late_p99\": %.2f, \"late_max\": %.2f, "
           "\"gap_p99\": %.2f, \"own_p50\": %.2f, \"own_p99\": %.2f, \"own_max\": %.2f, \"own_cpu\": %.3f}\n",
           calls, received / seconds / calls, sent / seconds / calls, refused, closed, drifting ? drift / drifting : 0,
           percentile_ms(&late, .5), percentile_ms(&late, .99), percentile_ms(&late, 1), percentile_ms(&gaps, .99),
           percentile_ms(&own, .5), percentile_ms(&own, .99), percentile_ms(&own, 1), (cpu_seconds() - cpu) / seconds);
    return 0;
}
