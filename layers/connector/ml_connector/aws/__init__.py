"""The ports on DynamoDB, SQS, Secrets Manager, S3 and KMS."""
