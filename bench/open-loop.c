/*
 * Decisions asked for at a fixed rate: requests fall due whatever the answers do, wait for a free connection if need be,
 * and their latency is counted from the due time, so that a server that stalls pays for all who waited (no coordinated
 * omission). In C because it shares the cores with what it measures: a client that collects garbage for some
 * milliseconds would measure itself.
 *
 *   open-loop PORT CONNECTIONS RATE FIRST USERS SEED
 *
 * Asks 127.0.0.1 until it gets SIGTERM, and then prints one line of JSON: requests, bad (degraded, wrong or missing
 * answers; each counts as 1,000 ms), p50, p99, p999, max and stall in µs. stall: the most that a request was sent late
 * although a connection was free, which is this client's doing, or that of who else uses the cores.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LOST_US 1000000
#define DRAIN_NS 5000000000LL
#define MOST_CONNECTIONS 1024
#define BUFFER 8192

typedef struct {
  int fd;
  int64_t due; /* of the request that is under way, ns; -1 for none */
  size_t held;
  char bytes[BUFFER + 1];
} Connection;

static volatile sig_atomic_t ending;
static Connection connections[MOST_CONNECTIONS];
static int idle[MOST_CONNECTIONS], idles;
static uint32_t *latencies;
static size_t kept, room;
static uint64_t bad, state;

static void end(int signal) {
  (void)signal;
  ending = 1;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int64_t now_ns(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * 1000000000LL + at.tv_nsec;
}

/* xorshift64* (Vigna 2016). */
static uint64_t next_random(void) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 2685821657736338717ULL;
}

static void keep(int64_t us) {
  if (kept == room) {
    room = room ? room * 2 : 1 << 16;
    latencies = realloc(latencies, room * sizeof *latencies);
    if (!latencies) fail("realloc");
  }
  latencies[kept++] = us < LOST_US ? (uint32_t)us : LOST_US;
}

static void lose(void) {
  bad++;
  keep(LOST_US);
}

/* The length of a whole answer at the beginning of the buffer, or 0; *good says whether it is one that was wanted. */
static size_t answer(const Connection *c, int *good) {
  const char *body = memmem(c->bytes, c->held, "\r\n\r\n", 4);
  if (!body) return 0;
  body += 4;
  int status = c->held > 12 ? atoi(c->bytes + 9) : 0;
  size_t head = body - c->bytes, length = 0;
  const char *field = strcasestr(c->bytes, "\r\ncontent-length:");
  if (field && field < body) length = strtoul(field + 17, NULL, 10);
  if (head + length > BUFFER || c->held < head + length) return 0;
  const char *degraded = strcasestr(c->bytes, "\r\npopup-degraded:");
  *good = (status == 200 || status == 204) && !(degraded && degraded < body);
  return head + length;
}

static void broken(Connection *c) {
  if (c->due >= 0) lose();
  close(c->fd);
  c->fd = -1;
  c->due = -1;
}

static void receive(int which) {
  Connection *c = &connections[which];
  for (;;) {
    ssize_t got = read(c->fd, c->bytes + c->held, BUFFER - c->held);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) break;
    if (got <= 0) return broken(c);
    c->held += got;
    c->bytes[c->held] = 0;
  }
  int good = 0;
  size_t length = answer(c, &good);
  if (length == 0) {
    if (c->held == BUFFER) broken(c);
    return;
  }
  memmove(c->bytes, c->bytes + length, c->held -= length);
  if (good) keep((now_ns() - c->due) / 1000);
  else lose();
  c->due = -1;
  idle[idles++] = which;
}

static void ask(int which, int64_t due, uint64_t user) {
  Connection *c = &connections[which];
  char text[160];
  int length = snprintf(text, sizeof text, "GET /v1/campaigns/popup?user_id=%llu HTTP/1.1\r\nHost: bench\r\n\r\n", (unsigned long long)user);
  c->due = due;
  if (write(c->fd, text, length) != length) broken(c);
}

static void open_connections(int count, int port, int epoll) {
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  for (int i = 0; i < count; i++) {
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = i };
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl");
    connections[i] = (Connection){ .fd = fd, .due = -1 };
    idle[idles++] = i;
  }
}

static int ascending(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

/* The nearest rank. */
static uint32_t at(double share) {
  if (kept == 0) return 0;
  size_t rank = (size_t)(share * kept + 0.999999);
  return latencies[rank == 0 ? 0 : rank - 1];
}

int main(int argc, char **argv) {
  if (argc != 7) {
    fputs("open-loop PORT CONNECTIONS RATE FIRST USERS SEED\n", stderr);
    return 2;
  }
  int count = atoi(argv[2]);
  double gap = 1e9 / atof(argv[3]);
  uint64_t first = strtoull(argv[4], NULL, 10), users = strtoull(argv[5], NULL, 10);
  state = strtoull(argv[6], NULL, 10) * 2 + 1;
  if (count < 1 || count > MOST_CONNECTIONS || !(gap > 0) || users == 0) return fputs("open-loop: out of range\n", stderr), 2;
  struct sigaction action = { .sa_handler = end };
  sigaction(SIGTERM, &action, NULL);
  signal(SIGPIPE, SIG_IGN);
  /* A client on a machine of its own would not wait for a core of the server's. Only root may; else the waiting is measured too. */
  setpriority(PRIO_PROCESS, 0, -10);
  int epoll = epoll_create1(0);
  if (epoll < 0) fail("epoll_create1");
  open_connections(count, atoi(argv[1]), epoll);

  int64_t started = now_ns(), stop = 0, stall = 0, free_since = started;
  uint64_t fallen_due = 0, sent = 0;
  for (;;) {
    int64_t now = now_ns();
    if (ending && stop == 0) stop = now;
    if (!stop) fallen_due = (uint64_t)((now - started) / gap) + 1;
    while (idles > 0 && sent < fallen_due) {
      int64_t due = started + (int64_t)(sent * gap), late = now - (due > free_since ? due : free_since);
      if (late > stall) stall = late;
      sent++;
      ask(idle[--idles], due, first + next_random() % users);
    }
    int under_way = 0, alive = 0;
    for (int i = 0; i < count; i++) under_way += connections[i].due >= 0, alive += connections[i].fd >= 0;
    if (alive == 0 || (stop && (now - stop > DRAIN_NS || (under_way == 0 && sent == fallen_due)))) break;
    int64_t wait = stop || idles == 0 ? 1000000 : started + (int64_t)(fallen_due * gap) - now_ns();
    if (wait < 0) wait = 0;
    struct timespec timeout = { wait / 1000000000, wait % 1000000000 };
    struct epoll_event events[256];
    int none = idles == 0, n = epoll_pwait2(epoll, events, 256, &timeout, NULL);
    for (int i = 0; i < n; i++) receive(events[i].data.u32);
    if (none && idles > 0) free_since = now_ns();
  }
  for (int i = 0; i < count; i++)
    if (connections[i].due >= 0) lose();
  for (; sent < fallen_due; sent++) lose();
  qsort(latencies, kept, sizeof *latencies, ascending);
  printf("{\"requests\":%zu,\"bad\":%llu,\"p50\":%u,\"p99\":%u,\"p999\":%u,\"max\":%u,\"stall\":%lld}\n", kept, (unsigned long long)bad, at(0.5), at(0.99),
         at(0.999), kept ? latencies[kept - 1] : 0, (long long)(stall / 1000));
  return 0;
}
