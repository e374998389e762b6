/* Posts prepared requests over kept connections, one at a time each, and prints what came back as one JSON object.
 *
 *   load PORT CONNECTIONS SECONDS FILE
 *
 * FILE holds whole HTTP requests, each after its length as a 32-bit little-endian number; every one is sent at most once.
 * When the time is up no request is begun, and those under way are waited for: every row has its answer.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#define MOST_CONNECTIONS 1024
#define ANSWER_SIZE 65536
#define MOST_LATENCIES 20000000

struct connection {
    int socket;
    double began;
    size_t received;
    char answer[ANSWER_SIZE];
};

static struct connection connections[MOST_CONNECTIONS];
static const char *requests, *requests_end;
static struct sockaddr_in address;
static int queue;
static float *latencies;
static long answers, accepted, refused, errors;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void open_connection(struct connection *c) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    int one = 1;
    c->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(c->socket, (struct sockaddr *)&address, sizeof address) < 0) die("connect");
    setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    epoll_ctl(queue, EPOLL_CTL_ADD, c->socket, &event);
}

static int begin_next(struct connection *c) {
    uint32_t length;
    if (requests >= requests_end) return 0;
    memcpy(&length, requests, 4);
    c->received = 0;
    c->began = now();
    if (c->socket < 0) open_connection(c);
    if (send(c->socket, requests + 4, length, MSG_NOSIGNAL) != (ssize_t)length) die("send");
    requests += 4 + length;
    return 1;
}

/* Whether the answer is whole. */
static int complete(struct connection *c) {
    char *end, *field;
    c->answer[c->received] = 0;
    end = strstr(c->answer, "\r\n\r\n");
    if (!end) return 0;
    field = strcasestr(c->answer, "content-length:");
    if (!field || field > end) return 0;
    return c->received >= (size_t)(end + 4 - c->answer) + (size_t)atol(field + 15);
}

static void note(struct connection *c) {
    if (answers < MOST_LATENCIES) latencies[answers] = (float)(now() - c->began);
    answers++;
    if (strcasestr(c->answer, "\r\nconnection: close\r\n")) close(c->socket), c->socket = -1;
    if (strncmp(c->answer, "HTTP/1.1 2", 10) != 0) refused++;
    else if (strstr(c->answer, "\"accepted\"")) accepted++;
}

static int ascending(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    if (argc != 5) return fprintf(stderr, "load PORT CONNECTIONS SECONDS FILE\n"), 2;
    int count = atoi(argv[2]), running = 0, file = open(argv[4], O_RDONLY);
    struct epoll_event ready[256];
    struct stat size;
    queue = epoll_create1(0);
    address.sin_family = AF_INET;
    address.sin_port = htons(atoi(argv[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (count > MOST_CONNECTIONS || file < 0 || fstat(file, &size) < 0) die("start");
    requests = mmap(NULL, size.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    if (requests == MAP_FAILED) die("mmap");
    requests_end = requests + size.st_size;
    latencies = malloc(sizeof(float) * MOST_LATENCIES);

    for (int i = 0; i < count; i++) open_connection(&connections[i]);
    double began = now(), stop = began + atof(argv[3]), ended = began;
    for (int i = 0; i < count; i++) running += begin_next(&connections[i]);

    while (running) {
        int n = epoll_wait(queue, ready, 256, 10000);
        if (n == 0) { errors += running; break; }
        for (int i = 0; i < n; i++) {
            struct connection *c = ready[i].data.ptr;
            ssize_t got = recv(c->socket, c->answer + c->received, ANSWER_SIZE - 1 - c->received, 0);
            if (got <= 0) { errors++; running--; epoll_ctl(queue, EPOLL_CTL_DEL, c->socket, NULL); continue; }
            c->received += got;
            if (!complete(c)) continue;
            note(c);
            ended = now();
            if (ended >= stop || !begin_next(c)) running--;
        }
    }
    long known = answers < MOST_LATENCIES ? answers : MOST_LATENCIES;
    qsort(latencies, known, sizeof(float), ascending);
    printf("{\"answers\": %ld, \"accepted\": %ld, \"refused\": %ld, \"errors\": %ld, \"seconds\": %.6f, "
           "\"p50\": %.6f, \"p99\": %.6f, \"ran_out\": %s}\n",
           answers, accepted, refused, errors, ended - began, known ? latencies[known / 2] : 0.0,
           known ? latencies[known * 99 / 100] : 0.0, requests >= requests_end ? "true" : "false");
    return 0;
}
