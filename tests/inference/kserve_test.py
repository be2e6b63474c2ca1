"""KServe's own client (typed contents) asks the server."""

import asyncio
import unittest

from kserve import InferenceGRPCClient, InferInput, InferRequest

import asked


class KServeTest(unittest.TestCase):
    address = None

    def ask(self, question):
        async def asked():
            async with InferenceGRPCClient(self.address) as client:
                return await question(client)
        return asyncio.run(asked())

    def infer(self, model, values, parameters=None):
        tensor = InferInput(name="input-0", shape=[len(values)],
                            datatype="BYTES",
                            data=[value.encode() for value in values])
        request = InferRequest(model_name=model, infer_inputs=[tensor],
                               parameters=parameters)
        return self.ask(lambda client: client.infer(infer_request=request))

    def test_what_is_there(self):
        self.assertTrue(self.ask(lambda client: client.is_server_live()))
        self.assertTrue(self.ask(lambda client: client.is_server_ready()))
        self.assertTrue(self.ask(
            lambda client: client.is_model_ready("mask-filler")))

    def test_labels(self):
        answer = self.infer("section-classifier", ["A chess engine"],
                            {"top_k": 2})
        self.assertEqual([output.name for output in answer.outputs],
                         ["label", "score"])
        self.assertEqual([bytes(label).decode() for label in
                          answer.outputs[0].as_numpy()], ["games"])
        self.assertGreater(answer.outputs[1].as_numpy()[0], 0.5)

    def test_errors(self):
        with self.assertRaisesRegex(Exception, "no model of that name"):
            self.infer("another", ["a"])


if __name__ == "__main__":
    asked.main(KServeTest)
