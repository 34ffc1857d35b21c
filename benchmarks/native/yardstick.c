// The yardstick: what it costs a C program to move the same frames, without VAD and without a bot. One epoll, one
// timerfd, calls spread over 20 slots of 1 ms; each 20 ms a frame of silence to each call, every message read whole.
//
// usage: yardstick   (prints its port, then serves until it is killed)
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { FRAME = 320, HEADER = 3, SLOTS = 20, MOST = 8192, BUFFER = 4096 };

typedef struct { int fd, used, slot, place; uint8_t buffer[BUFFER]; } Call;
static Call *slots[SLOTS][MOST / SLOTS * 2];
static int filled[SLOTS];

static void take(int listener, int poll) {
    int fd = accept4(listener, 0, 0, SOCK_NONBLOCK), one = 1, slot = 0;
    if (fd < 0) return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    for (int i = 1; i < SLOTS; i++) if (filled[i] < filled[slot]) slot = i;
    Call *c = calloc(1, sizeof *c);
    *c = (Call){.fd = fd, .slot = slot, .place = filled[slot]};
    slots[slot][filled[slot]++] = c;
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &e);
}

static void drop(Call *c) {
    Call *moved = slots[c->slot][--filled[c->slot]];
    slots[c->slot][c->place] = moved;
    moved->place = c->place;
    close(c->fd);
    free(c);
}

static volatile unsigned sum;

static void hear(Call *c) {
    ssize_t r = recv(c->fd, c->buffer + c->used, BUFFER - c->used, 0);
    if (r <= 0) { if (r == 0 || errno != EAGAIN) drop(c); return; }
    c->used += (int)r;
    int at = 0;
    while (c->used - at >= HEADER) {
        int whole = HEADER + (c->buffer[at + 1] << 8 | c->buffer[at + 2]);
        if (whole > BUFFER) { drop(c); return; }
        if (c->used - at < whole) break;
        sum += c->buffer[at + HEADER];
        at += whole;
    }
    memmove(c->buffer, c->buffer + at, c->used - at);
    c->used -= at;
}

int main(void) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), poll = epoll_create1(0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof a;
    if (bind(listener, (void *)&a, sizeof a) || listen(listener, 4096)) { perror("listen"); return 3; }
    getsockname(listener, (void *)&a, &length);
    printf("%d\n", ntohs(a.sin_port));
    fflush(stdout);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct itimerspec every = {.it_value = {0, 1000000}, .it_interval = {0, 1000000}};
    timerfd_settime(timer, 0, &every, 0);
    struct epoll_event l = {.events = EPOLLIN, .data.ptr = &listener}, t = {.events = EPOLLIN, .data.ptr = &timer};
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &l);
    epoll_ctl(poll, EPOLL_CTL_ADD, timer, &t);
    uint8_t silence[HEADER + FRAME] = {0x10, FRAME >> 8, FRAME & 0xff};
    uint64_t slot = 0, ticks;
    struct epoll_event ready[256];
    for (;;) {
        int n = epoll_wait(poll, ready, 256, -1);
        for (int k = 0; k < n; k++) {
            if (ready[k].data.ptr == &listener) { take(listener, poll); continue; }
            if (ready[k].data.ptr != &timer) { hear(ready[k].data.ptr); continue; }
            if (read(timer, &ticks, sizeof ticks) != sizeof ticks) continue;
            for (; ticks; ticks--, slot++)
                for (int i = 0; i < filled[slot % SLOTS]; i++)
                    if (send(slots[slot % SLOTS][i]->fd, silence, sizeof silence, MSG_NOSIGNAL) < 0) continue;
        }
    }
}
