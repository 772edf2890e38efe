/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and senders: answered in any order with releasing, and never not at all. */
#include "server/backends/backend.h"

#include "tests/support/test.h"

/* A client: what its sender was told, and what became of its request. */
typedef struct Client {
    QsSender sender;
    QsRequest request;
    char story[32]; /* a: answer, e: error, n: nothing more, .: final, r: released, f: freed */
    QnError error;
} Client;

static void tell(Client *client, char what)
{
    client->story[strlen(client->story)] = what;
}

static void client_send(QsSender *sender, const QsResponse *response, bool is_final)
{
    Client *client = (Client *)(void *)sender;
    tell(client, !response ? 'n' : response->error ? 'e' : 'a');
    if (response && response->error)
        client->error = *response->error;
    if (is_final)
        tell(client, '.');
}

static void client_free(QsSender *sender)
{
    tell((Client *)(void *)sender, 'f');
}

static void client_release(QsRequest *request)
{
    tell((Client *)(void *)request->sender, 'r');
}

static const QsSenderOps client_ops = {.send = client_send, .free = client_free};

static QsRequest *client_init(Client *client)
{
    *client = (Client){0};
    qs_sender_init(&client->sender, &client_ops);
    client->request = (QsRequest){.id = "", .sender = &client->sender, .release = client_release};
    return &client->request;
}

TEST(answers_and_releases_come_in_any_order)
{
    Client client;
    const QsResponse answer = {0};
    QsRequest *request = client_init(&client);
    qs_sender_send(request->sender, &answer, true);
    qs_request_release(request);
    EXPECT(t, !strcmp(client.story, "a.rf"), "answered first: %s", client.story);

    request = client_init(&client);
    QsSender *sender = qs_sender_acquire(request->sender);
    qs_request_release(request); /* the inputs are read */
    EXPECT(t, !strcmp(client.story, "r"), "%s", client.story);
    qs_sender_send(sender, &answer, false);
    qs_sender_send(sender, &answer, false);
    qs_sender_send(sender, NULL, true);
    qs_sender_release(sender);
    EXPECT(t, !strcmp(client.story, "raan.f"), "released first: %s", client.story);
}

/* A client must not wait for ever because a backend lost its request. */
TEST(what_nobody_answers_is_an_error)
{
    Client client;
    qs_request_release(client_init(&client));
    EXPECT(t, !strcmp(client.story, "re.f"), "%s", client.story);
    EXPECT(t, client.error.status == QN_INTERNAL, "%s", client.error.message);
    QsRequest *request = client_init(&client);
    qs_sender_send(request->sender, &(QsResponse){0}, false); /* more was to come */
    qs_request_release(request);
    EXPECT(t, !strcmp(client.story, "are.f"), "%s", client.story);
}

TEST(a_refusal_answers_and_releases)
{
    Client client;
    qs_request_refuse(client_init(&client), QN_UNAVAILABLE, "the queue of %d is full", 3);
    EXPECT(t, !strcmp(client.story, "e.rf"), "%s", client.story);
    EXPECT(t, client.error.status == QN_UNAVAILABLE, "%s", qn_status_name(client.error.status));
    EXPECT(t, !strcmp(client.error.message, "the queue of 3 is full"), "%s", client.error.message);
}

TEST(inputs_and_outputs_are_found_by_name)
{
    Client client;
    const char *const outputs[] = {"y", "z"};
    const QsTensor inputs[] = {{.name = "a"}, {.name = "b"}};
    QsRequest *request = client_init(&client);
    EXPECT(t, qs_request_wants(request, "y"), "where none is named, all are wanted");
    EXPECT(t, qs_request_find_input(request, "a") == -1, "there is no input");
    request->inputs = inputs;
    request->input_count = 2;
    request->outputs = outputs;
    request->output_count = 2;
    EXPECT(t, qs_request_find_input(request, "b") == 1, "b");
    EXPECT(t, qs_request_find_input(request, "c") == -1, "c");
    EXPECT(t, qs_request_wants(request, "z") && !qs_request_wants(request, "x"), "outputs");
    qs_sender_send(request->sender, NULL, true);
    qs_request_release(request);
}

TEST(a_request_knows_when_its_client_is_gone)
{
    Client client;
    QnCancel cancel = {0};
    QsRequest *request = client_init(&client);
    EXPECT(t, !qs_request_is_cancelled(request), "it cannot be cancelled");
    request->cancel = &cancel;
    EXPECT(t, !qs_request_is_cancelled(request), "not yet");
    qn_cancel(&cancel);
    EXPECT(t, qs_request_is_cancelled(request), "now");
    qs_sender_send(request->sender, NULL, true);
    qs_request_release(request);
}

TEST(backends_are_found_by_name)
{
    const QsBackend *found = qs_backend_find("onnxruntime");
    EXPECT(t, found && !strcmp(found->name, "onnxruntime"), "onnxruntime");
    EXPECT(t,
           found && found->load && found->unload && found->open && found->close && found->execute,
           "a function is missing");
    EXPECT(t, !qs_backend_find("abacus"), "abacus");
}

TEST_MAIN(CASE(answers_and_releases_come_in_any_order), CASE(what_nobody_answers_is_an_error),
          CASE(a_refusal_answers_and_releases), CASE(inputs_and_outputs_are_found_by_name),
          CASE(a_request_knows_when_its_client_is_gone), CASE(backends_are_found_by_name))
