"""Using a trained model: its folder, labels and topics, and inferring the topics of documents."""
